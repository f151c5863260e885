/**
 * Coding agents as they come from npm do a task with a tool, through the gateway and without it.
 *
 * The model behind is scripted: it asks for a file to be read, and says what is in it. Between the agent and the gateway a proxy writes
 * down what the agent sends and what it sees; the simulators behind the gateway know what arrived.
 */
import { Effect } from "effect"
import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Simulator from "../../src/testing/Simulator.ts"
import { messagesIn } from "./frames.ts"
import { type Ended, runProgram } from "./programs.ts"
import { failuresIn, makeRecorder, type Recorder } from "./recorder.ts"
import { failures, type Finding, folder, makeWorld, root, type Wires } from "./world.ts"

const secret = "the harbour is closed on Tuesdays"
const prompt = "Read the file note.txt with a tool, and tell me what is in it."

type Wire = Wires["primary"]

interface Agent {
  readonly name: string
  readonly binary: string
  readonly wire: Wire
  readonly args: (url: string, home: string) => ReadonlyArray<string>
  readonly env: (url: string, home: string) => Readonly<Record<string, string>>
  /** Of the tools that it offers, the one to call and with what. */
  readonly call: (tools: ReadonlyArray<string>) => Simulator.Part | undefined
}

const bin = join(root, "judges/coding-agents/node_modules/.bin")

const codex = (webSockets: boolean): Agent => ({
  name: webSockets ? "Codex over WebSocket" : "Codex over HTTP",
  binary: join(bin, "codex"),
  wire: "openai",
  args: (url, home) => {
    writeFileSync(
      join(home, "config.toml"),
      `model = "gpt-5"
model_provider = "judged"
check_for_update_on_startup = false
[analytics]
enabled = false
[otel]
exporter = "none"
[model_providers.judged]
name = "judged"
base_url = "${url}/v1"
env_key = "JUDGED_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
supports_websockets = ${webSockets}
`
    )
    return ["exec", "--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", prompt]
  },
  env: (_, home) => ({ HOME: home, CODEX_HOME: home, JUDGED_KEY: "sk-agents-own-key-0123", RUST_LOG: "error" }),
  call: (tools) =>
    tools.includes("exec_command")
      ? { type: "tool-call", name: "exec_command", arguments: { cmd: "cat note.txt" } }
      : tools.includes("shell_command")
      ? { type: "tool-call", name: "shell_command", arguments: { command: "cat note.txt" } }
      : tools.includes("shell")
      ? { type: "tool-call", name: "shell", arguments: { command: ["cat", "note.txt"] } }
      : undefined
})

const claudeCode: Agent = {
  name: "Claude Code",
  binary: join(bin, "claude"),
  wire: "anthropic",
  args: () => [
    "-p",
    prompt,
    "--model",
    "claude-sonnet-4-5",
    "--output-format",
    "stream-json",
    "--verbose",
    "--allowedTools",
    "Bash(cat:*)"
  ],
  env: (url, home) => ({
    HOME: home,
    CLAUDE_CONFIG_DIR: join(home, ".claude"),
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: "sk-ant-agents-own-key-0123",
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    CLAUDE_CODE_MAX_RETRIES: "0",
    DISABLE_TELEMETRY: "1",
    DISABLE_ERROR_REPORTING: "1",
    DISABLE_AUTOUPDATER: "1",
    DO_NOT_TRACK: "1"
  }),
  call: (tools) =>
    tools.includes("Bash")
      ? { type: "tool-call", name: "Bash", arguments: { command: "cat note.txt", description: "Read the note" } }
      : undefined
}

const toolNames = (body: unknown): ReadonlyArray<string> =>
  typeof body === "object" && body !== null && "tools" in body && Array.isArray(body.tools)
    ? body.tools.flatMap((tool: { name?: string; function?: { name: string } }) =>
      tool.name ?? tool.function?.name ?? []
    )
    : []

/** The model: asks for the note where it can, and says what it holds once it was read. */
const scripted =
  (agent: Agent) => ({ body, bodyText, operation }: Simulator.RecordedRequest): Simulator.Answer | undefined => {
    if (operation !== "generate") return undefined
    if (bodyText.includes(secret)) return Simulator.text(`It says that ${secret}.`, { chunkSize: 4 })
    const call = agent.call(toolNames(body))
    return call === undefined ? Simulator.text("A title") : { parts: [{ type: "text", text: "I will look." }, call] }
  }

const runAgent = (agent: Agent, url: string) =>
  Effect.gen(function*() {
    const home = yield* folder
    const work = join(home, "work")
    mkdirSync(work)
    writeFileSync(join(work, "note.txt"), `Remember: ${secret}.\n`)
    return yield* runProgram({
      command: agent.binary,
      args: agent.args(url, home),
      cwd: work,
      env: agent.env(url, home),
      limitMillis: 90_000
    })
  })

/** Lines of an agent's own account that tell of failures. That Codex knows little of a model is none. */
const toldIn = (out: string): ReadonlyArray<string> =>
  out.split("\n").filter((line) =>
    /^\{"type":"(?:error|turn\.failed)"|"subtype":"api_(?:retry|error)"|"is_error":true|"item":\{[^{]*"type":"error"/
      .test(line) &&
    !line.includes("Model metadata for")
  )

const unfinished = ({ code, err, listened, out, timedOut }: Ended): ReadonlyArray<string> => [
  ...(timedOut ? ["it did not end in time"] : code === 0 ? [] : [`it ended with ${code}: ${err.slice(-300)}`]),
  ...(out.includes(`It says that ${secret}`) ? [] : [`it did not finish its task: ${out.slice(-400)}`]),
  ...toldIn(out).map((line) => `it told of a failure: ${line.slice(0, 300)}`),
  ...listened.filter((address) => !address.startsWith("127.") && !address.startsWith("0100007F"))
    .map((address) => `it listened on ${address}`)
]

/** What the agent sent, as requests that an API can be asked. */
const sentIn = ({ exchanges, sockets }: Recorder): ReadonlyArray<string> =>
  sockets.length > 0
    ? sockets.flatMap(({ sent }) => messagesIn(Buffer.concat(sent)))
    : exchanges.filter(({ method, path }) => method === "POST" && /\/(?:messages|responses)(?:\?|$)/.test(path))
      .map(({ body }) => body)

const describe = (sent: ReadonlyArray<string>): string => {
  const bytes = sent.reduce((sum, body) => sum + Buffer.byteLength(body), 0)
  return `${sent.length} requests, ${bytes.toLocaleString("en")} bytes`
}

/** Whether a message of a socket arrived whole: as it was, but for what only means something on a socket. */
const arrivedWhole = (message: string, arrived: ReadonlyArray<string>): boolean => {
  const { generate, input, previous_response_id: _, type: __, ...rest } = JSON.parse(message)
  if (generate === false) return true
  return arrived.some((body) => {
    const { input: full, ...others } = JSON.parse(body)
    return JSON.stringify(others) === JSON.stringify(rest) &&
      JSON.stringify(full.slice(full.length - input.length)) === JSON.stringify(input)
  })
}

const judgeAgent = (agent: Agent) =>
  Effect.gen(function*() {
    const findings: Array<Finding> = []
    const add = (name: string, problems: ReadonlyArray<string>, note: string) => {
      const good = problems.length === 0
      findings.push({ judge: agent.name, name, good, note: good ? note : problems.join("; ") })
      console.log(`${good ? "good" : "BAD "}  ${agent.name}: ${name}: ${good ? note : problems.join("; ")}`)
    }

    yield* Effect.scoped(Effect.gen(function*() {
      const simulator = yield* Simulator.make({ respondWith: scripted(agent) })
      const recorder = yield* makeRecorder(simulator.url)
      const ended = yield* runAgent(agent, recorder.url)
      const ws = recorder.sockets.length > 0 || recorder.exchanges.some(({ headers }) => headers.upgrade !== undefined)
      // The simulator speaks no WebSocket: Codex begins with one, sees that refused, and goes on over HTTP.
      const problems = agent.name.includes("WebSocket") ? [] : [...unfinished(ended), ...failuresIn(recorder)]
      add("direct, without a gateway", problems, ws ? "the simulator has no WebSocket" : describe(sentIn(recorder)))
    }))

    const world = yield* makeWorld({ primary: agent.wire, backup: agent.wire })
    const recorder = yield* makeRecorder(world.url)
    yield* world.primary.respondWith(scripted(agent))
    const ended = yield* runAgent(agent, recorder.url)
    const sent = sentIn(recorder)
    const arrived = world.primary.requests.filter(({ operation }) => operation === "generate").map(({ bodyText }) =>
      bodyText
    )
    const ws = recorder.sockets.length > 0
    add("no failure", [
      ...unfinished(ended),
      ...failuresIn(recorder),
      ...(agent.name.includes("WebSocket") && !ws ? ["it used no WebSocket"] : [])
    ], describe(sent))
    const changed = sent.filter((body) => ws ? !arrivedWhole(body, arrived) : !arrived.includes(body))
    add(
      "bodies arrive as they were sent",
      changed.length === 0 && sent.length > 0 ? [] : [
        `${changed.length} of ${sent.length} differ: ${difference(changed[0] ?? "", arrived)}`
      ],
      ws ? `${sent.length} messages: every field but those of the socket` : `${sent.length} bodies, byte for byte`
    )

    yield* world.backup.respondWith(scripted(agent))
    for (const [name, failure] of failures) {
      recorder.clear()
      const before = world.backup.requests.length
      yield* world.primary.respondWith(({ operation }) => operation === "generate" ? failure : undefined)
      const ended = yield* runAgent(agent, recorder.url)
      const served = world.backup.requests.length - before
      add(
        `primary fails: ${name}`,
        [...unfinished(ended), ...failuresIn(recorder), ...(served === 0 ? ["the backup was not asked"] : [])],
        `${describe(sentIn(recorder))}, ${served} served by the backup`
      )
    }
    return findings
  }).pipe(Effect.scoped)

/** Another wire behind: what a route changes is told by headers, and the task is done all the same. */
const judgeTranslated = (agent: Agent, backup: Wire) =>
  Effect.gen(function*() {
    const world = yield* makeWorld({ primary: agent.wire, backup })
    const recorder = yield* makeRecorder(world.url)
    yield* world.primary.respondWith(({ operation }) => operation === "generate" ? Simulator.error(503) : undefined)
    yield* world.backup.respondWith(scripted(agent))
    const ended = yield* runAgent(agent, recorder.url)
    const problems = [...unfinished(ended), ...failuresIn(recorder)]
    const good = problems.length === 0
    const note = good ? describe(sentIn(recorder)) : problems.join("; ")
    const name = `primary fails, the backup speaks ${backup}'s wire`
    console.log(`${good ? "good" : "BAD "}  ${agent.name}: ${name}: ${note}`)
    return [{ judge: agent.name, name, good, note }]
  }).pipe(Effect.scoped)

const difference = (sent: string, arrived: ReadonlyArray<string>): string => {
  const near = arrived.toSorted((a, b) => common(b, sent) - common(a, sent))[0]
  if (near === undefined) return "nothing arrived"
  const at = common(near, sent)
  return `sent …${sent.slice(Math.max(0, at - 60), at + 60)}… arrived …${near.slice(Math.max(0, at - 60), at + 60)}…`
}

const common = (a: string, b: string): number => {
  let at = 0
  while (at < a.length && a[at] === b[at]) at++
  return at
}

const judge = (agents: ReadonlyArray<readonly [Agent, Wire]>): Effect.Effect<ReadonlyArray<Finding>> =>
  Effect.map(
    Effect.forEach(agents, ([agent, other]) =>
      Effect.gen(function*() {
        if (!existsSync(agent.binary)) {
          return [{
            judge: agent.name,
            name: "all",
            good: false,
            note: "not installed: npm ci --prefix judges/coding-agents"
          }]
        }
        return [...(yield* judgeAgent(agent)), ...(yield* judgeTranslated(agent, other))]
      })),
    (findings) => findings.flat()
  )

export const judgeCodex = judge([[codex(false), "anthropic"], [codex(true), "anthropic"]])
export const judgeClaudeCode = judge([[claudeCode, "openai"]])
