"""Chains and graphs of one's own, offered as models. Nothing of them is imported before one is
asked."""
