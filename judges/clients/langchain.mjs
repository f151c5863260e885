// LangChain asks the gateway at the address it is given; prints what it made of the answers, one JSON object.
import { ChatAnthropic } from "@langchain/anthropic"
import { HumanMessage, ToolMessage } from "@langchain/core/messages"
import { tool } from "@langchain/core/tools"
import { ChatOpenAI } from "@langchain/openai"
import { z } from "zod"

const url = process.argv[2]
const model = process.argv[3]
const make = {
  "LangChain, Chat Completions": () =>
    new ChatOpenAI({ model, apiKey: "sk-any", maxRetries: 0, configuration: { baseURL: `${url}/v1` } }),
  "LangChain, Responses": () =>
    new ChatOpenAI({
      model,
      apiKey: "sk-any",
      maxRetries: 0,
      useResponsesApi: true,
      configuration: { baseURL: `${url}/v1` }
    }),
  "LangChain, Messages": () =>
    new ChatAnthropic({ model, apiKey: "sk-any", maxRetries: 0, maxTokens: 500, anthropicApiUrl: url })
}
const weather = tool(async ({ city }) => `12 degrees in ${city}`, {
  name: "get_weather",
  description: "Get the weather of a city",
  schema: z.object({ city: z.string() })
})

const told = {}
for (const [name, client] of Object.entries(make)) {
  const told_ = (told[name] = {})
  const attempt = async (what, run) => {
    try {
      told_[what] = await run()
    } catch (error) {
      told_[what] = `failed: ${error?.name} ${error?.message}`.slice(0, 400)
    }
  }
  await attempt("text", async () => (await client().invoke("Say hello.")).text)
  await attempt("stream", async () => {
    let text = ""
    for await (const chunk of await client().stream("Say hello.")) text += chunk.text
    return text
  })
  await attempt("tools", async () => {
    const bound = client().bindTools([weather])
    const asked = new HumanMessage("What is the weather in Oslo?")
    const first = await bound.invoke([asked])
    const call = first.tool_calls[0]
    const result = new ToolMessage({ tool_call_id: call.id, content: await weather.invoke(call.args) })
    return (await bound.invoke([asked, first, result])).text
  })
  await attempt("object", async () => {
    const schema = z.object({ city: z.string(), country: z.string() })
    const made = await client().withStructuredOutput(schema, { name: "place" }).invoke("Fill in a place: Oslo")
    return typeof made.city
  })
  await attempt("error", async () => {
    const failed = await client().invoke("FAIL").then(() => undefined, (error) => error)
    return String(failed?.status ?? failed?.response?.status ?? failed?.lc_error_code ?? failed?.message)
  })
}
console.log(JSON.stringify(told))
