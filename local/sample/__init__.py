"""The sample tenant: a made-up sales organisation on the rhythm of a real mail network (see SOURCE.md)."""
