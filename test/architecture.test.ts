import { globSync, readFileSync } from "node:fs"
import { posix } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"

// The rooms, from the ground up: what may be imported is what stands further down. A room is the first folder below src. `vocabulary` is
// the modules directly in src with the folders they are made of, `message`, `object` and `error`; `Models` gathers what `model` knows, so it
// stands there. `root` is index.ts and the entries beside it.
const floors: ReadonlyArray<ReadonlyArray<string>> = [
  ["json"],
  ["address"],
  ["validation"],
  ["vocabulary"],
  ["model", "service"],
  ["stream"],
  ["protocol"],
  ["transport"],
  ["policy"],
  ["observe"],
  ["provider"],
  ["config", "agent", "batch", "node"],
  ["bundled", "durable", "gateway", "interop", "testing", "root"]
]

const maxLines = 520

interface Import {
  readonly from: string
  readonly specifier: string
}

const root = fileURLToPath(new URL("../", import.meta.url))
const files = globSync("src/**/*.ts", { cwd: root }).map((file) => file.replaceAll("\\", "/")).toSorted()
const sources = new Map(files.map((file) => [file, readFileSync(posix.join(root, file), "utf8")]))

const roomOf = (file: string): string => {
  const [, first = "", ...rest] = file.split("/")
  if (rest.length > 0) return ["message", "object", "error"].includes(first) ? "vocabulary" : first
  if (first === "Models.ts") return "model"
  return ["index.ts", "node.ts", "promise.ts", "tokenizer.ts"].includes(first) ? "root" : "vocabulary"
}

const floorOf = (room: string): number => floors.findIndex((rooms) => rooms.includes(room))

// Only the entries themselves import what is reached by its own subpath alone.
const onlyFromOutside = new Set(["bundled", "durable", "gateway", "interop", "testing"])

/** Imports and re-exports, static and dynamic. A line of a comment never matches: it begins with a star or a slash. */
const importsOf = (from: string): ReadonlyArray<Import> => {
  const source = sources.get(from)!
  const statics = source.matchAll(/^(?:import|export)\s(?:[\w*{][^"'`;=()]*?\sfrom\s)?\s*"([^"]+)"/gm)
  const dynamics = source.matchAll(/^(?!\s*(?:\*|\/)).*\bimport\("([^"]+)"\)/gm)
  return [...statics, ...dynamics].map(([, specifier]) => ({ from, specifier: specifier! }))
}

const imports = files.flatMap(importsOf)
const sentence = ({ from, specifier }: Import): string => `${from} imports ${specifier}`

const targetOf = ({ from, specifier }: Import): string | undefined =>
  specifier.startsWith(".") ? posix.join(posix.dirname(from), specifier) : undefined

describe("Architecture", () => {
  it("gives each folder its floor", () => {
    const rooms = new Set(files.map(roomOf))
    expect([...rooms].filter((room) => floorOf(room) === -1)).toEqual([])
  })

  it("lets each folder import only what lies below it", () => {
    const broken = imports.filter((statement) => {
      const target = targetOf(statement)
      if (target === undefined) return false
      const [from, to] = [roomOf(statement.from), roomOf(target)]
      return from !== to && (floorOf(to) >= floorOf(from) || (onlyFromOutside.has(to) && from !== "root"))
    })
    expect(broken.map(sentence)).toEqual([])
  })

  it("has no cycle among imports, of types neither", () => {
    const graph = Map.groupBy(imports, ({ from }) => from)
    const cycles: Array<string> = []
    const done = new Set<string>()
    const visit = (file: string, path: ReadonlyArray<string>): void => {
      if (path.includes(file)) {
        cycles.push([...path.slice(path.indexOf(file)), file].join(" -> "))
        return
      }
      if (done.has(file)) return
      for (const statement of graph.get(file) ?? []) {
        const target = targetOf(statement)
        if (target !== undefined) visit(target, [...path, file])
      }
      done.add(file)
    }
    for (const file of files) visit(file, [])
    expect(cycles).toEqual([])
  })

  it("depends on nothing but effect at run time, outside interop, the entries for Node, the program and the testing tools", () => {
    const broken = imports.filter(({ from, specifier }) => {
      if (specifier.startsWith(".") || /^effect(?:\/|$)/.test(specifier)) return false
      const apart = ["src/node.ts", "src/tokenizer.ts", "src/gateway/main.ts"]
      return !apart.includes(from) && !["interop", "node", "testing"].includes(roomOf(from))
    })
    expect(broken.map(sentence)).toEqual([])
  })

  it("names effect/ai only under interop", () => {
    const broken = imports.filter(({ from, specifier }) =>
      /^effect\/ai(?:\/|$)/.test(specifier) && roomOf(from) !== "interop"
    )
    expect(broken.map(sentence)).toEqual([])
  })

  it("keeps the server's side of the wires out of reach of the client's", () => {
    const isServers = (file: string) => /^src\/protocol\/(?:Server\.ts|(?:\w+\/)?server\/)/.test(file)
    const broken = imports.filter((statement) => {
      const target = targetOf(statement)
      if (target === undefined || !isServers(target) || isServers(statement.from)) return false
      return !["gateway", "testing"].includes(roomOf(statement.from))
    })
    expect(broken.map(sentence)).toEqual([])
  })

  it("reads JSON text in one place, which bounds its depth", () => {
    const allowed = new Set(["src/json/parse.ts"])
    const broken = [...sources].filter(([file, source]) =>
      !allowed.has(file) && roomOf(file) !== "testing" &&
      /^(?!\s*\*).*\b(?:JSON\s*\.\s*parse|(?:Unknown)?[fF]romJsonString)\b/m.test(source)
    )
    expect(broken.map(([file]) => file)).toEqual([])
  })

  it(`keeps every source file within ${maxLines} lines`, () => {
    const long = [...sources].map(([file, source]) => [file, source.split("\n").length - 1] as const)
      .filter(([, lines]) => lines > maxLines)
    expect(long).toEqual([])
  })
})
