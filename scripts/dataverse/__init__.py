"""Connecting Dataverse (Dynamics 365): its present rows, its changes, its forms. docs/connect-crm.md."""
