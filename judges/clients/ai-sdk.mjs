// The AI SDK asks the gateway at the address it is given; prints what it made of the answers, one JSON object.
import { createAnthropic } from "@ai-sdk/anthropic"
import { createGoogleGenerativeAI } from "@ai-sdk/google"
import { createOpenAI } from "@ai-sdk/openai"
import { generateText, isStepCount, Output, stepCountIs, streamText, tool } from "ai"
import { z } from "zod"

const url = process.argv[2]
const model = process.argv[3]
const openai = createOpenAI({ apiKey: "sk-any", baseURL: `${url}/v1` })
const make = {
  "AI SDK, Chat Completions": openai.chat(model),
  "AI SDK, Responses": openai.responses(model),
  "AI SDK, Messages": createAnthropic({ apiKey: "sk-any", baseURL: `${url}/v1` })(model),
  "AI SDK, generateContent": createGoogleGenerativeAI({ apiKey: "any", baseURL: `${url}/v1beta` })(model)
}
const tools = {
  get_weather: tool({
    description: "Get the weather of a city",
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => `12 degrees in ${city}`
  })
}
const steps = stepCountIs ?? isStepCount

const told = {}
for (const [name, model] of Object.entries(make)) {
  const told_ = (told[name] = {})
  const attempt = async (what, run) => {
    try {
      told_[what] = await run()
    } catch (error) {
      told_[what] = `failed: ${error?.name} ${error?.message}`.slice(0, 400)
    }
  }
  const common = { model, maxRetries: 0, onError: () => {} }
  await attempt("text", async () => (await generateText({ ...common, prompt: "Say hello." })).text)
  await attempt("stream", async () => await streamText({ ...common, prompt: "Say hello." }).text)
  await attempt(
    "tools",
    async () =>
      (await generateText({ ...common, tools, stopWhen: steps(3), prompt: "What is the weather in Oslo?" })).text
  )
  await attempt(
    "streamed tools",
    async () => await streamText({ ...common, tools, stopWhen: steps(3), prompt: "What is the weather in Oslo?" }).text
  )
  await attempt("object", async () => {
    const output = Output.object({ schema: z.object({ city: z.string(), country: z.string() }) })
    return typeof (await generateText({ ...common, output, prompt: "Fill in a place: Oslo" })).output.city
  })
  await attempt("error", async () => {
    const failed = await generateText({ ...common, prompt: "FAIL" }).then(() => undefined, (error) => error)
    return String(failed?.statusCode ?? failed?.message)
  })
}
console.log(JSON.stringify(told))
