// An app with OpenAI built in: it takes its key from the environment and knows no base URL.

import OpenAI from "openai";

const completion = await new OpenAI().chat.completions.create({
  model: "claude-demo",
  messages: [{ role: "user", content: "Who are you?" }],
});
console.log(completion.choices[0].message.content);
