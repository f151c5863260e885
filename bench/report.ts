/**
 * From results to a table on the terminal, and to docs/benchmarks.md with its plot.
 */
import { readFileSync, writeFileSync } from "node:fs"
import type { Result } from "./child.ts"
import type { Scenario } from "./scenarios.ts"

export interface Row {
  readonly name: string
  readonly version?: string | undefined
  readonly results: ReadonlyArray<Result>
}

export interface Measured {
  readonly scenario: Scenario
  readonly rows: ReadonlyArray<Row>
}

export interface Report {
  readonly measured: ReadonlyArray<Measured>
  readonly rounds: number
  readonly date: string
  readonly commit: string
  readonly command: string
  readonly machine: string
  readonly versions: ReadonlyArray<string>
}

/** How often the clients of a scenario were measured. */
const roundsOf = ({ rows }: Measured): string => {
  const most = Math.max(...rows.map((row) => row.results.length))
  const fewer = rows.filter((row) => row.results.length < most)
  return `${most}${fewer.map((row) => `; ${row.name}: ${row.results.length}`).join("")}`
}

const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

const number = (value: number): string =>
  value >= 10_000
    ? Math.round(value).toLocaleString("en-US")
    : value >= 100
    ? value.toFixed(0)
    : value.toPrecision(3)

interface Line {
  readonly name: string
  readonly cpu: number
  /** Of each round. */
  readonly cpus: ReadonlyArray<number>
  readonly low: number
  readonly high: number
  readonly ratio: number
  readonly first: number
  readonly wall: number
  readonly memory: number
  readonly p50: number | undefined
  readonly p99: number | undefined
}

/** Taken round by round, so that a slow minute of the machine falls on both. */
const ratioOf = (cpus: ReadonlyArray<number>, base: ReadonlyArray<number>): number =>
  median(cpus.map((cpu, round) => cpu / (base[round] ?? base[0]!)))

const linesOf = ({ rows }: Measured): Array<Line> => {
  const medianOf = (row: Row, pick: (result: Result) => number) => median(row.results.map(pick))
  const base = rows.find((row) => row.name === "raw fetch")
  return rows.map((row) => {
    const cpus = row.results.map((result) => result.cpu)
    const hasLatency = row.results.some((result) => result.latency !== undefined)
    return {
      name: row.name,
      cpu: median(cpus),
      cpus,
      low: Math.min(...cpus),
      high: Math.max(...cpus),
      ratio: base === undefined ? NaN : ratioOf(cpus, base.results.map((result) => result.cpu)),
      first: medianOf(row, (result) => result.first),
      wall: medianOf(row, (result) => result.wall),
      memory: medianOf(row, (result) => result.memory),
      p50: hasLatency ? medianOf(row, (result) => result.latency?.p50 ?? NaN) : undefined,
      p99: hasLatency ? medianOf(row, (result) => result.latency?.p99 ?? NaN) : undefined
    }
  })
}

const columns = (one: Measured): { readonly head: Array<string>; readonly body: Array<Array<string>> } => {
  const { scenario } = one
  const lines = linesOf(one)
  const latency = lines.some((line) => line.p50 !== undefined)
  const unit = `us CPU per ${scenario.unit}`
  const scale = scenario.mode === "cold" ? 1000 : 1
  const head = ["client", scenario.mode === "cold" ? "ms CPU" : unit, "spread", "x raw fetch"]
  if (scenario.mode === "cold") head.push("ms wall")
  else head.push("first call")
  head.push("peak MB")
  if (latency) head.push("latency p50 us", "p99 us")
  const body = lines.map((line) => {
    const cells = [
      line.name,
      number(line.cpu / scale),
      `${number(line.low / scale)} - ${number(line.high / scale)}`,
      Number.isNaN(line.ratio) ? "" : line.ratio.toFixed(2)
    ]
    if (scenario.mode === "cold") cells.push(number(line.wall / 1000))
    else cells.push(number(line.first))
    cells.push((line.memory / 2 ** 20).toFixed(0))
    if (latency) cells.push(number(line.p50 ?? NaN), number(line.p99 ?? NaN))
    return cells
  })
  return { head, body }
}

export const table = (one: Measured): string => {
  const { body, head } = columns(one)
  const widths = head.map((title, i) => Math.max(title.length, ...body.map((cells) => cells[i]!.length)))
  const line = (cells: ReadonlyArray<string>) =>
    cells.map((cell, i) => i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)).join("  ")
  return [`${one.scenario.title} [${one.scenario.id}]`, line(head), ...body.map(line)].join("\n")
}

const markdownTable = (head: ReadonlyArray<string>, body: ReadonlyArray<ReadonlyArray<string>>): string => {
  const line = (cells: ReadonlyArray<string>) => `| ${cells.join(" | ")} |`
  const rule = head.map((_, i) => i === 0 ? "---" : "--:")
  return [line(head), line(rule), ...body.map(line)].join("\n")
}

// -----------------------------------------------------------------------------
// Targets
// -----------------------------------------------------------------------------

interface Target {
  readonly text: string
  readonly scenario: string
  readonly client: string
  readonly limit: number
  /** What it is compared with. @default raw fetch */
  readonly base?: string | undefined
  readonly of: (line: Line, base: Line) => number
}

const ratio = (line: Line) => line.ratio
const perDelta = (scenario: string, client: string, limit: number): Target => ({
  text: "CPU per delta, x raw fetch",
  scenario,
  client: `effect-llm, ${client}`,
  limit,
  of: ratio
})

/** Raw clients, and libraries that hand out parsed frames and assemble nothing. */
const isPartial = (name: string) => name.startsWith("raw ") || name.endsWith("events only") || name === "openai"

const targets: ReadonlyArray<Target> = [
  ...["anthropic-16", "chat-16"].flatMap((scenario) => [
    perDelta(scenario, "fetch, arrays", 1.3),
    perDelta(scenario, "node, arrays", 1),
    perDelta(scenario, "fetch, each", 1.5),
    perDelta(scenario, "node, each", 1.2)
  ]),
  ...["anthropic-1", "chat-1", "paced", "concurrent-100", "concurrent-500"].flatMap((scenario) => [
    perDelta(scenario, "fetch, arrays", 1.1),
    perDelta(scenario, "node, arrays", 1.1)
  ]),
  ...["fetch, arrays", "node, arrays"].flatMap((client): Array<Target> => [
    {
      text: "peak memory, x raw fetch",
      scenario: "concurrent-500",
      client: `effect-llm, ${client}`,
      limit: 1.4,
      of: (line, base) => line.memory / base.memory
    },
    {
      text: "latency p99, x raw fetch",
      scenario: "concurrent-500",
      client: `effect-llm, ${client}`,
      limit: 1.2,
      of: (line, base) => (line.p99 ?? NaN) / (base.p99 ?? NaN)
    }
  ]),
  ...["json-anthropic", "json-chat"].flatMap((scenario): Array<Target> => [
    { text: "CPU per call, x raw fetch", scenario, client: "effect-llm, fetch, arrays", limit: 1.4, of: ratio },
    { text: "CPU per call, x raw fetch", scenario, client: "effect-llm, node, arrays", limit: 0.8, of: ratio }
  ]),
  ...["fetch, arrays", "node, arrays"].flatMap((client): Array<Target> => [
    {
      text: "CPU per call, x raw fetch",
      scenario: "history-2mb",
      client: `effect-llm, ${client}`,
      limit: 1.3,
      of: ratio
    },
    perDelta("tool-200k", client, 2),
    {
      text: "a stack of seven policies, x none",
      scenario: "policies",
      client: `effect-llm, ${client}, policies`,
      base: `effect-llm, ${client}`,
      limit: 1.05,
      of: (line, base) => ratioOf(line.cpus, base.cpus)
    }
  ])
]

/** The row that says what Effect's own fetch client costs before any library. */
const effectAlone = "raw effect/http"

const met = (value: number, limit: number) => value <= limit ? "yes" : "**no**"

const targetRows = (measured: ReadonlyArray<Measured>): Array<Array<string>> => {
  const rows = targets.flatMap((target) => {
    const one = measured.find(({ scenario }) => scenario.id === target.scenario)
    const lines = one === undefined ? [] : linesOf(one)
    const line = lines.find(({ name }) => name === target.client)
    const base = lines.find(({ name }) => name === (target.base ?? "raw fetch"))
    if (line === undefined || base === undefined) return []
    const value = target.of(line, base)
    const bare = target.client.includes("fetch") && target.base === undefined
      ? lines.find(({ name }) => name === effectAlone)
      : undefined
    return [[
      target.scenario,
      target.client,
      target.text,
      String(target.limit),
      bare === undefined ? "" : target.of(bare, base).toFixed(2),
      value.toFixed(2),
      met(value, target.limit)
    ]]
  })
  const cpuOf = (id: string, client: string) => {
    const one = measured.find(({ scenario }) => scenario.id === id)
    return one === undefined ? undefined : linesOf(one).find(({ name }) => name === client)?.cpu
  }
  for (const [short, long] of [["anthropic-16", "anthropic-40k"], ["tool-200k", "tool-400k"]] as const) {
    for (const client of ["effect-llm, fetch, arrays", "effect-llm, node, arrays"]) {
      const a = cpuOf(short, client)
      const b = cpuOf(long, client)
      if (a === undefined || b === undefined) continue
      const value = 2 * b / a
      rows.push([long, client, `cost of twice the length, x ${short}`, "2.2", "", value.toFixed(2), met(value, 2.2)])
    }
  }
  for (const one of measured) {
    const lines = linesOf(one).toSorted((a, b) => a.cpu - b.cpu)
    const peer = lines.find(({ name }) =>
      !isPartial(name) && !name.includes("effect-llm") && !name.startsWith("import ")
    )
    if (peer === undefined) continue
    for (const client of ["effect-llm, fetch, arrays", "effect-llm, node, arrays"]) {
      const line = lines.find(({ name }) => name === client)
      if (line === undefined) continue
      const value = line.cpu / peer.cpu
      const bare = client.includes("fetch") ? lines.find(({ name }) => name === effectAlone) : undefined
      rows.push([
        one.scenario.id,
        client,
        `CPU, x the cheapest full client (${peer.name})`,
        "1",
        bare === undefined ? "" : (bare.cpu / peer.cpu).toFixed(2),
        value.toFixed(2),
        met(value, 1)
      ])
    }
  }
  const cold = measured.find(({ scenario }) => scenario.id === "cold")
  if (cold !== undefined) {
    const lines = linesOf(cold)
    const bare = lines.find(({ name }) => name.startsWith("import \""))
    const own = lines.find(({ name }) => name === "import effect-llm alone")
    if (bare !== undefined && own !== undefined) {
      const limit = 1.3 * bare.cpu / 1000 + 20
      rows.push([
        "cold",
        own.name,
        "ms CPU; limit: 1.3 x the import of effect + 20 ms",
        limit.toFixed(0),
        "",
        (own.cpu / 1000).toFixed(0),
        met(own.cpu / 1000, limit)
      ])
    }
  }
  return rows
}

// -----------------------------------------------------------------------------
// Plot
// -----------------------------------------------------------------------------

const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("\"", "&quot;")

/** Bars on a logarithmic axis: the clients of one scenario, cheapest first, as multiples of raw fetch. */
const plot = (measured: ReadonlyArray<Measured>): string => {
  const width = 860
  const left = 260
  const right = 70
  const rowHeight = 20
  const shown = measured.filter(({ scenario }) => scenario.mode !== "cold" && !scenario.latency)
  const panels = shown.map((one) => ({
    title: one.scenario.title,
    lines: linesOf(one).filter(({ ratio }) => ratio > 0).toSorted((a, b) => a.ratio - b.ratio)
  }))
  const most = Math.max(10, ...panels.flatMap(({ lines }) => lines.map((line) => line.ratio)))
  const least = Math.min(0.1, ...panels.flatMap(({ lines }) => lines.map((line) => line.ratio)))
  const scale = (value: number) =>
    left + (width - left - right) * (Math.log(value) - Math.log(least)) / (Math.log(most) - Math.log(least))
  let y = 30
  const out: Array<string> = []
  for (const { lines, title } of panels) {
    out.push(`<text class="t" x="8" y="${y}">${escape(title)}</text>`)
    y += 10
    const top = y
    for (const line of lines) {
      const x = scale(line.ratio)
      const one = scale(1)
      const kind = line.name.startsWith("effect-llm") ? "o" : line.name.startsWith("raw") ? "r" : "p"
      out.push(
        `<text class="n" x="${left - 8}" y="${y + 14}">${escape(line.name)}</text>`,
        `<rect class="${kind}" x="${Math.min(x, one).toFixed(1)}" y="${y + 4}" width="${
          Math.max(1.5, Math.abs(x - one)).toFixed(1)
        }" height="12"/>`,
        `<text class="v" x="${(Math.max(x, one) + 5).toFixed(1)}" y="${y + 14}">${line.ratio.toFixed(2)}</text>`
      )
      y += rowHeight
    }
    out.push(`<line class="a" x1="${scale(1).toFixed(1)}" x2="${scale(1).toFixed(1)}" y1="${top}" y2="${y}"/>`)
    y += 34
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" font-family="system-ui, sans-serif" font-size="12">
<style>
  .t { font-weight: 600; font-size: 13px; fill: #24292f } .n { text-anchor: end; fill: #24292f } .v { fill: #57606a }
  .o { fill: #2f6feb } .r { fill: #8c959f } .p { fill: #d4a72c } .a { stroke: #24292f; stroke-width: 1 }
  @media (prefers-color-scheme: dark) { .t, .n { fill: #e6edf3 } .v { fill: #8b949e } .a { stroke: #e6edf3 } }
</style>
<text class="v" x="8" y="12">CPU of the client, multiples of raw fetch in the same run (logarithmic)</text>
${out.join("\n")}
</svg>
`
}

// -----------------------------------------------------------------------------
// Page
// -----------------------------------------------------------------------------

const page = (report: Report, notes: string): string =>
  `# Benchmarks

CPU time of the client's process, all its threads included, per streamed delta or per call. Each figure is the median of
the rounds named below its table's title, interleaved (A B C, A B C, …), one process per client and scenario; "spread" is the lowest and the
highest round. "x raw fetch" is the median of the ratios to raw \`fetch\` with a hand-written SSE split and \`JSON.parse\`,
measured in the same rounds. "First call" is the first answer of a process, module loading after the client's import and
cold code included. The mock server runs in a process of its own.
${
    report.rounds < 5
      ? "\n**Provisional**: fewer than five rounds. Single rounds, above all on a machine that does other work, are off by a third.\n"
      : ""
  }
- Command: \`${report.command}\`
- Machine: ${report.machine}
- Date: ${report.date}, commit ${report.commit}
- Versions: ${report.versions.join(", ")}

![CPU of the client as multiples of raw fetch](./benchmarks.svg)

## Targets

${markdownTable(["scenario", "client", "what", "at most", effectAlone, "measured", "met"], targetRows(report.measured))}

## Results

${
    report.measured.map((one) => {
      const { body, head } = columns(one)
      return `### ${one.scenario.title}\n\nScenario \`${one.scenario.id}\`, rounds: ${roundsOf(one)}.\n\n${
        markdownTable(head, body)
      }`
    }).join("\n\n")
  }

${notes.trim()}
`

/** Writes the page and its plot; what is known beside the numbers stands in bench/notes.md. */
export const write = (report: Report, folder: URL): void => {
  const notes = readFileSync(new URL("notes.md", import.meta.url), "utf8")
  writeFileSync(new URL("benchmarks.md", folder), page(report, notes))
  writeFileSync(new URL("benchmarks.svg", folder), plot(report.measured))
}
