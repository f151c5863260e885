/** Draws what happened as lanes over time, as SVG that reads well on light and dark pages. */

/** One call or attempt. Times are seconds. */
export interface Span {
  readonly lane: string
  readonly from: number
  /** When the first content came. */
  readonly content?: number | undefined
  readonly to: number
  /** Why it failed, or `interrupted`. @default it succeeded */
  readonly failed?: string | undefined
}

const left = 150
const width = 900
const laneHeight = 46
const top = 26

const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")

/** Spans of a lane that overlap get rows of their own. */
const rowsOf = (spans: ReadonlyArray<Span>): ReadonlyArray<readonly [span: Span, row: number]> => {
  const ends: Array<number> = []
  return spans.map((span) => {
    const free = ends.findIndex((end) => end <= span.from)
    const row = free === -1 ? ends.length : free
    ends[row] = span.to
    return [span, row]
  })
}

const stepOf = (length: number): number => [0.5, 1, 2, 5, 10, 20, 30, 60].find((step) => length / step <= 12) ?? 120

export const draw = (title: string, lanes: ReadonlyArray<string>, spans: ReadonlyArray<Span>): string => {
  const length = Math.max(...spans.map(({ to }) => to), 0.5) * 1.04
  const x = (seconds: number): number => Math.round((left + seconds / length * (width - left - 90)) * 10) / 10
  const parts: Array<string> = []
  let y = top
  for (const lane of lanes) {
    const rows = rowsOf(spans.filter((span) => span.lane === lane))
    const height = Math.max(laneHeight, Math.max(0, ...rows.map(([, row]) => row + 1)) * 22 + 22)
    parts.push(`<text x="0" y="${y + 25}" class="lane">${escape(lane)}</text>`)
    parts.push(`<line x1="${left}" x2="${width}" y1="${y + height}" y2="${y + height}" class="rule"/>`)
    for (const [index, [{ content, failed, from, to }, row]] of rows.entries()) {
      const at = y + 12 + row * 22
      const next = rows.slice(index + 1).find(([, other]) => other === row)?.[0]
      const room = next === undefined ? Number.POSITIVE_INFINITY : x(next.from) - x(to)
      const wait = content ?? to
      if (x(wait) > x(from)) {
        parts.push(`<rect x="${x(from)}" y="${at}" width="${x(wait) - x(from)}" height="14" class="wait"/>`)
      }
      if (content !== undefined && x(to) > x(content)) {
        parts.push(`<rect x="${x(content)}" y="${at}" width="${x(to) - x(content)}" height="14" class="text"/>`)
      }
      parts.push(
        failed === undefined
          ? `<circle cx="${x(to)}" cy="${at + 7}" r="4" class="done"/>`
          : `<path d="M${x(to) - 4} ${at + 3}l8 8m0 -8l-8 8" class="failed"/>${
            room < failed.length * 6 + 12
              ? ""
              : `<text x="${x(to) + 8}" y="${at + 11}" class="reason">${escape(failed)}</text>`
          }`
      )
    }
    y += height
  }
  const step = stepOf(length)
  for (let tick = 0; tick <= length; tick += step) {
    parts.push(`<line x1="${x(tick)}" x2="${x(tick)}" y1="${top - 4}" y2="${y}" class="tick"/>`)
    parts.push(`<text x="${x(tick)}" y="14" class="time">${tick} s</text>`)
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${
    y + 6
  }" role="img" font-family="system-ui, sans-serif" font-size="13">
<title>${escape(title)}</title>
<style>
rect { rx: 3px } .lane { fill: #888; font-weight: 600 } .time, .reason { fill: #888; font-size: 11px } .time { text-anchor: middle }
.rule, .tick { stroke: #8884; stroke-width: 1 } .wait { fill: #8882; stroke: #888; stroke-width: 1 } .text { fill: #3b82f6 }
.done { fill: #16a34a } .failed { stroke: #dc2626; stroke-width: 2; fill: none }
</style>
${parts.join("\n")}
</svg>
`
}
