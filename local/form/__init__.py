"""A CRM form to try the widgets on: a page, a small server for it, on development machines only."""
