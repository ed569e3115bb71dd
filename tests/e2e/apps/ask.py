"""An app with OpenAI built in: it takes its key from the environment and knows no base URL."""

from openai import OpenAI

completion = OpenAI().chat.completions.create(
    model="claude-demo", messages=[{"role": "user", "content": "Who are you?"}]
)
print(completion.choices[0].message.content)
