"""The data desk's services: mappings of unknown files that a person confirmed, uploads into the inbox, runs begun from the page."""
