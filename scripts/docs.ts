/**
 * Keeps the code in README.md, llms.txt, examples/README.md, docs/ and skills/ equal to the examples, which are type-checked and run.
 *
 *     <!-- example: examples/04-errors.ts -->          the whole file
 *     <!-- example: examples/04-errors.ts#handling --> from `// #region handling` to `// #endregion`, dedented
 *
 * followed by a ```ts block, whose content is rewritten; and the tables between `<!-- generated: name -->` and
 * `<!-- end -->` equal to what `tables.ts` makes of the code. Imports of the source are shown as of the package. `--check` writes nothing and fails with the differences.
 */
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs"
import { tables } from "./tables.ts"

const root = new URL("../", import.meta.url)
const check = process.argv.includes("--check")
const problems: Array<string> = []
const manifest = JSON.parse(readFileSync(new URL("package.json", root), "utf8")) as {
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>
}

const dedent = (lines: ReadonlyArray<string>): string => {
  const filled = lines.filter((line) => line.trim() !== "")
  const depth = Math.min(...filled.map((line) => line.length - line.trimStart().length))
  return lines.map((line) => line.slice(depth).trimEnd()).join("\n").trim()
}

/** The code that a marker asks for, or `undefined` after noting why there is none. */
const codeOf = (marker: string, where: string): string | undefined => {
  const [path, region] = marker.split("#") as [string, string | undefined]
  const file = new URL(path, root)
  if (!existsSync(file)) return void problems.push(`${where}: there is no ${path}`)
  const lines = readFileSync(file, "utf8").split("\n")
  const isMark = (line: string): boolean => /^\s*\/\/ #(end)?region\b/.test(line)
  if (region === undefined) return asPackage(lines.filter((line) => !isMark(line)).join("\n").trim())
  const start = lines.findIndex((line) => line.trim() === `// #region ${region}`)
  if (start < 0) return void problems.push(`${where}: ${path} has no region ${region}`)
  let depth = 1
  let end = start
  while (depth > 0) {
    end++
    const line = lines[end]
    if (line === undefined) return void problems.push(`${where}: the region ${region} of ${path} never ends`)
    if (isMark(line)) depth += line.includes("#endregion") ? -1 : 1
  }
  return asPackage(dedent(lines.slice(start + 1, end).filter((line) => !isMark(line))))
}

/** Readers import the package; the examples import its source, so that they run without a build. */
const asPackage = (code: string): string =>
  Object.entries(manifest.exports).reduce((text, [subpath, door]) => {
    if (typeof door === "string") return text
    const source = door.default.replace(/^\.\/dist\/(.*)\.js$/, "../src/$1.ts")
    return text.replaceAll(`"${source}"`, `"effect-llm${subpath.slice(1)}"`)
  }, code)

/** The lines that only one side has, enough to see what changed. */
const difference = (before: string, after: string): string => {
  const [old, now] = [before.split("\n"), after.split("\n")]
  return [
    ...old.filter((line) => !now.includes(line)).map((line) => `  - ${line}`),
    ...now.filter((line) => !old.includes(line)).map((line) => `  + ${line}`)
  ].join("\n")
}

const pages = [
  "README.md",
  "llms.txt",
  "examples/README.md",
  ...globSync("docs/**/*.md", { cwd: root }).toSorted(),
  ...globSync("skills/**/*.md", { cwd: root }).toSorted()
]

for (const page of pages) {
  const file = new URL(page, root)
  if (!existsSync(file)) continue
  const before = readFileSync(file, "utf8")
  let found = 0
  const withExamples = before.replace(
    /^(<!-- example: (\S+) -->\n\s*```ts\n)([\s\S]*?)(^```$)/gm,
    (block, head: string, marker: string, code: string, tail: string, offset: number) => {
      found++
      const where = `${page}:${before.slice(0, offset).split("\n").length}`
      const wanted = codeOf(marker, where)
      if (wanted === undefined || `${wanted}\n` === code) return block
      if (check) problems.push(`${where}: differs from ${marker}\n${difference(code.trimEnd(), wanted)}`)
      return `${head}${wanted}\n${tail}`
    }
  )
  const after = withExamples.replace(
    /^(<!-- generated: (\S+) -->\n)([\s\S]*?)(^<!-- end -->$)/gm,
    (block, head: string, name: string, text: string, tail: string) => {
      const generate = tables[name]
      if (generate === undefined) {
        problems.push(`${page}: there is no table ${name}`)
        return block
      }
      // The formatter would align the columns of a table whose cells change with the code.
      const wanted = `\n<!-- dprint-ignore-start -->\n\n${generate()}\n\n<!-- dprint-ignore-end -->\n\n`
      if (check && wanted !== text) {
        problems.push(`${page}: table ${name}\n${difference(text.trimEnd(), wanted.trimEnd())}`)
      }
      return `${head}${wanted}${tail}`
    }
  )
  const markers = before.match(/^<!-- example: /gm)?.length ?? 0
  if (markers !== found) {
    problems.push(`${page}: ${markers - found} example markers are not followed by a \`\`\`ts block`)
  }
  if (!check && after !== before) {
    writeFileSync(file, after)
    console.log(`${page}: updated`)
  }
}

if (problems.length > 0) {
  console.error(`${problems.join("\n")}${check ? "\nRun: npm run docs" : ""}`)
  process.exitCode = 1
}
