/**
 * Where the parts of a configuration stand in its text: the line of a path, or of as much of it as was found.
 *
 * It is no parser: the text was read by one already. What it does not follow (tables inside of arrays) has the line of what is around it.
 *
 * @since 0.1.0
 */

import { parseJsonUnsafe } from "../json/parse.ts"

type Path = ReadonlyArray<PropertyKey>

const keyOf = (path: Path): string => path.map(String).join("\u0000")

/** The lines of paths, each the first that was seen. */
class Lines {
  private readonly lines = new Map<string, number>()

  add(path: Path, line: number): void {
    const key = keyOf(path)
    if (!this.lines.has(key)) this.lines.set(key, line)
  }

  of(path: Path): number | undefined {
    for (let length = path.length; length > 0; length--) {
      const line = this.lines.get(keyOf(path.slice(0, length)))
      if (line !== undefined) return line
    }
    return undefined
  }
}

// =============================================================================
// Scanning
// =============================================================================

/** Reads a text from the left, and counts lines. */
class Scanner {
  private readonly text: string
  at = 0
  line = 1

  constructor(text: string) {
    this.text = text
  }

  get char(): string {
    return this.text[this.at] ?? ""
  }

  step(): void {
    if (this.text[this.at] === "\n") this.line++
    this.at++
  }

  startsWith(part: string): boolean {
    return this.text.startsWith(part, this.at)
  }

  skip(pattern: RegExp): string {
    const start = this.at
    while (this.at < this.text.length && pattern.test(this.char)) this.step()
    return this.text.slice(start, this.at)
  }

  /** The content of a string that begins here, escapes left as they are written. */
  quoted(): string {
    const quote = this.char
    const end = this.startsWith(quote.repeat(3)) ? quote.repeat(3) : quote
    for (let i = 0; i < end.length; i++) this.step()
    const start = this.at
    while (this.at < this.text.length && !this.startsWith(end)) {
      if (quote === "\"" && this.char === "\\") this.step()
      if (this.at < this.text.length) this.step()
    }
    const content = this.text.slice(start, this.at)
    for (let i = 0; i < end.length && this.at < this.text.length; i++) this.step()
    return content
  }
}

const isQuote = (char: string): boolean => char === "\"" || char === "'"

/** A string as it was meant, where its escapes are those of JSON. */
const unescaped = (content: string): string => {
  try {
    return content.includes("\\") ? String(parseJsonUnsafe(`"${content}"`)) : content
  } catch {
    return content
  }
}

/** A dotted key of TOML. */
const dotted = (scanner: Scanner): Array<string> => {
  const path: Array<string> = []
  for (;;) {
    scanner.skip(/[ \t]/)
    const part = isQuote(scanner.char) ? unescaped(scanner.quoted()) : scanner.skip(/[A-Za-z0-9_-]/)
    path.push(part)
    scanner.skip(/[ \t]/)
    if (scanner.char !== ".") return path
    scanner.step()
  }
}

/** Walks one value; bounded, since texts that are nested deeper are no configurations. */
const value = (scanner: Scanner, path: Path, lines: Lines, isToml: boolean, depth: number): void => {
  const blanks = () => {
    for (;;) {
      scanner.skip(/\s/)
      if (!isToml || scanner.char !== "#") return
      scanner.skip(/[^\n]/)
    }
  }
  blanks()
  if (isQuote(scanner.char)) return void scanner.quoted()
  const open = scanner.char
  if ((open !== "{" && open !== "[") || depth > 64) {
    scanner.skip(isToml ? /[^\n,\]}#]/ : /[^\n,\]}]/)
    return
  }
  const close = open === "{" ? "}" : "]"
  scanner.step()
  for (let index = 0;; index++) {
    blanks()
    if (scanner.char === close) return scanner.step()
    if (scanner.char === "") return
    const before = scanner.at
    const { line } = scanner
    let inner: Path
    if (open === "[") inner = [...path, index]
    else {
      const keys = isToml ? dotted(scanner) : [unescaped(isQuote(scanner.char) ? scanner.quoted() : "")]
      inner = [...path, ...keys]
      for (let length = path.length + 1; length < inner.length; length++) lines.add(inner.slice(0, length), line)
      blanks()
      if (scanner.char === "=" || scanner.char === ":") scanner.step()
    }
    lines.add(inner, line)
    value(scanner, inner, lines, isToml, depth + 1)
    blanks()
    if (scanner.char === ",") scanner.step()
    else if (scanner.char !== close && scanner.at === before) scanner.step()
  }
}

const tomlLines = (text: string, lines: Lines): void => {
  const scanner = new Scanner(text)
  let table: Path = []
  const counts = new Map<string, number>()
  while (scanner.char !== "") {
    scanner.skip(/\s/)
    if (scanner.char === "") return
    const { line } = scanner
    if (scanner.char === "#") scanner.skip(/[^\n]/)
    else if (scanner.char === "[") {
      const isList = scanner.startsWith("[[")
      scanner.step()
      if (isList) scanner.step()
      const path: Path = dotted(scanner)
      const index = counts.get(keyOf(path)) ?? 0
      if (isList) counts.set(keyOf(path), index + 1)
      table = isList ? [...path, index] : path
      for (let length = 1; length <= table.length; length++) lines.add(table.slice(0, length), line)
      scanner.skip(/[^\n]/)
    } else {
      const before = scanner.at
      const path = [...table, ...dotted(scanner)]
      for (let length = table.length + 1; length <= path.length; length++) lines.add(path.slice(0, length), line)
      if (scanner.char === "=") {
        scanner.step()
        value(scanner, path, lines, true, 0)
      } else scanner.skip(/[^\n]/)
      if (scanner.at === before) scanner.step()
    }
  }
}

/**
 * The line of a path in a text that a parser has read, from 1; `undefined` where nothing of it was found.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const linesOf = (text: string, format: "toml" | "json"): (path: Path) => number | undefined => {
  const lines = new Lines()
  if (format === "toml") tomlLines(text, lines)
  else value(new Scanner(text.replace(/^\uFEFF/, "")), [], lines, false, 0)
  return (path) => lines.of(path)
}
