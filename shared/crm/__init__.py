"""What the CRM tells: its changes, the state they add up to, and the records and activities read from that state."""
