"""Files that users attach: checked by what is in them, kept for their owner, read by models."""
