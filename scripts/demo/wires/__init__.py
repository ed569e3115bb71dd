"""The APIs that the simulator speaks: one file each, named here."""

from scripts.demo.wires import anthropic, gemini, openai, vertex

WIRES = (openai.WIRE, anthropic.WIRE, gemini.WIRE, vertex.WIRE)
