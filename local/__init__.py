"""What stands in for the cloud on one machine. Nothing in the app imports it."""
