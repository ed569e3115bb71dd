"""The APIs that the simulator speaks: one file each, named here."""

from scripts.demo.wires import anthropic, openai

WIRES = (openai.WIRE, anthropic.WIRE)
