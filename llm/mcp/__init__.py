"""Tools of MCP servers. Nothing of the protocol's library is imported before one is used."""
