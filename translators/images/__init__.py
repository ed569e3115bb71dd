"""Pictures: made after a prompt, and changed after one. Each endpoint has its file, with SERVICES and `read`.

openai_wire.py  engines with OpenAI's wire
xai.py          what of it xAI takes
google.py       the engines gemini and vertex-gemini, by the one or the other wire:
gemini.py       Gemini's image models, by generateContent
imagen.py       Imagen, by predict
request.py      a request for either endpoint in typed parts
addresses.py    pictures to change that stand at addresses
canvas.py       OpenAI's sizes as the ratios and resolutions of others
answer.py       pictures → OpenAI's answer, whole or as events
"""
