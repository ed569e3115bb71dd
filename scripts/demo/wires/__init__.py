"""The APIs that the simulator speaks: one file each, named here."""

from scripts.demo.wires import anthropic, azure, cloudflare, cohere, gemini, openai, openrouter, vertex

WIRES = (
    openai.WIRE,
    anthropic.WIRE,
    gemini.WIRE,
    vertex.WIRE,
    openrouter.WIRE,
    azure.WIRE,
    cloudflare.WIRE,
    cohere.WIRE,
)
