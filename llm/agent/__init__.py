"""Answers that may use tools: a LangGraph graph around the model.

Nothing of it is imported before a model with tools is asked: LangGraph alone would make the start
of every process longer.
"""
