"""Taking conversations out of this product and into it. docs/transfer.md describes the format."""
