import { globSync, readFileSync } from "node:fs"
import { posix } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"

// Who may import whom, by the first folder below src. `core` is the files directly in src and in src/internal; `root`
// is index.ts and the entries beside it, which gather the rest for users. The catalogue is generated data that is loaded when needed.
const allowed: Readonly<Record<string, ReadonlyArray<string>>> = {
  core: ["core", "catalogue"],
  catalogue: ["core"],
  protocol: ["protocol", "core"],
  transport: ["transport", "protocol", "core"],
  provider: ["provider", "transport", "protocol", "observe", "catalogue", "core"],
  policy: ["policy", "core"],
  observe: ["observe", "policy", "core"],
  config: ["config", "provider", "policy", "core"],
  agent: ["agent", "core"],
  batch: ["batch", "core"],
  interop: ["interop", "core"],
  node: ["node", "transport", "core"],
  testing: ["testing", "agent", "batch", "config", "observe", "policy", "provider", "transport", "protocol", "core"],
  root: ["node", "agent", "batch", "config", "observe", "policy", "provider", "transport", "protocol", "core"]
}

const maxLines = 520

interface Import {
  readonly from: string
  readonly specifier: string
  readonly typeOnly: boolean
}

const root = fileURLToPath(new URL("../", import.meta.url))
const files = globSync("src/**/*.ts", { cwd: root }).map((file) => file.replaceAll("\\", "/")).toSorted()
const sources = new Map(files.map((file) => [file, readFileSync(posix.join(root, file), "utf8")]))

const layerOf = (file: string): string => {
  const [, first = "", ...rest] = file.split("/")
  if (rest.length > 0) return first === "internal" ? "core" : first
  return first === "index.ts" || first === "node.ts" || first === "tokenizer.ts" ? "root" : "core"
}

/** Imports and re-exports, static and dynamic. A line of a comment never matches: it begins with a star or a slash. */
const importsOf = (from: string): ReadonlyArray<Import> => {
  const source = sources.get(from)!
  const statics = source.matchAll(/^(?:import|export)\s(?:(type)\s)?(?:([\w*{][^"'`;=()]*?)\sfrom\s)?\s*"([^"]+)"/gm)
  const dynamics = source.matchAll(/^(?!\s*(?:\*|\/)).*\bimport\("([^"]+)"\)/gm)
  return [
    ...Array.from(statics, ([, type, names = "", specifier]) => ({
      from,
      specifier: specifier!,
      typeOnly: type !== undefined || /^\{(?:\s*type\s[^,}]+,?)+\s*\}$/.test(names)
    })),
    ...Array.from(dynamics, ([, specifier]) => ({ from, specifier: specifier!, typeOnly: false }))
  ]
}

const imports = files.flatMap(importsOf)
const sentence = ({ from, specifier }: Import): string => `${from} imports ${specifier}`

const targetOf = ({ from, specifier }: Import): string | undefined =>
  specifier.startsWith(".") ? posix.join(posix.dirname(from), specifier) : undefined

describe("Architecture", () => {
  it("lets each folder import only what lies below it", () => {
    const broken = imports.filter((statement) => {
      const target = targetOf(statement)
      return target !== undefined && !(allowed[layerOf(statement.from)] ?? []).includes(layerOf(target))
    })
    expect(broken.map(sentence)).toEqual([])
  })

  it("has no cycle among value imports", () => {
    const graph = Map.groupBy(imports.filter(({ typeOnly }) => !typeOnly), ({ from }) => from)
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

  it("depends on nothing but effect at run time, outside the Node entry and the testing tools", () => {
    const broken = imports.filter(({ from, specifier }) => {
      if (specifier.startsWith(".") || /^effect(?:\/|$)/.test(specifier)) return false
      return from !== "src/node.ts" && from !== "src/tokenizer.ts" && !["node", "testing"].includes(layerOf(from))
    })
    expect(broken.map(sentence)).toEqual([])
  })

  it("names effect/ai only under interop", () => {
    const broken = imports.filter(({ from, specifier }) =>
      /^effect\/ai(?:\/|$)/.test(specifier) && layerOf(from) !== "interop"
    )
    expect(broken.map(sentence)).toEqual([])
  })

  it("reads JSON text in one place, which bounds its depth", () => {
    const allowed = new Set(["src/internal/json.ts"])
    const broken = [...sources].filter(([file, source]) =>
      !allowed.has(file) && layerOf(file) !== "testing" &&
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
