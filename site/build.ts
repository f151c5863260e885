/**
 * Builds the documentation site into `site/dist` from what the repository has anyway: README.md, docs/, the examples, the definitions of
 * providers and the doc comments. Nothing is written for the site alone, and viewing it fetches nothing from elsewhere.
 *
 * `npm ci --prefix site` once, then `npm run site`. A link to a page that is not there fails the build.
 */
import { execFileSync } from "node:child_process"
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { basename, dirname, join, posix } from "node:path"
import { fileURLToPath } from "node:url"
import { providerPages } from "../scripts/tables.ts"

const root = fileURLToPath(new URL("../", import.meta.url))
const here = join(root, "site")
const target = join(here, ".tmp")

interface Link {
  readonly text: string
  readonly link: string
}

const put = (path: string, text: string): void => {
  mkdirSync(dirname(join(target, path)), { recursive: true })
  writeFileSync(join(target, path), text)
}

const read = (path: string): string => readFileSync(join(root, path), "utf8")
const titleOf = (text: string, otherwise: string): string => /^# (.+)$/m.exec(text)?.[1] ?? otherwise

/** Files that are pages of the site, by the path a link in the repository names. */
const pages = new Map<string, string>([
  ["README.md", "index.md"],
  ["CHANGELOG.md", "changelog.md"],
  ["CONTRIBUTING.md", "contributing.md"],
  ["SECURITY.md", "security.md"],
  ["LICENSE", "license.md"],
  ["api", "reference/index.md"],
  ["examples", "examples/index.md"],
  ["docs/decisions", "docs/decisions/index.md"],
  ...globSync("docs/**/*.md", { cwd: root }).map((path) => [path, path] as const),
  ...globSync("examples/*.ts", { cwd: root }).map((path) => [path, path.replace(/\.ts$/, ".md")] as const)
])

/** Links between files of the repository become links between pages. What is no page is only named. */
const linked = (text: string, from: string): string =>
  text.replace(
    /(!?)\[([^\]]*)\]\((?!https?:|#|mailto:)([^)\s#]+)(#[^)]*)?\)/g,
    (whole, image, words, path, anchor = "") => {
      if (image === "!") return whole
      const named = posix.normalize(posix.join(posix.dirname(from), path)).replace(/\/$/, "")
      const page = pages.get(named)
      return page === undefined ? words : `[${words}](/${page.replace(/(?:index)?\.md$/, "")}${anchor})`
    }
  )

/** Outside of code, `<` of prose would begin a tag and `{{` a template. */
const plain = (text: string): string =>
  text.split(/(^```[\s\S]*?^```$|`[^`\n]*`)/m).map((piece, i) =>
    i % 2 === 1
      ? piece
      : piece.replaceAll("{{", "&#123;&#123;").replace(/<(?!\/?(?:details|summary|br|img|a)\b|!--|https?:)/g, "&lt;")
  ).join("")

/** The words of the comment that a file begins with. */
const commentOf = (source: string): string =>
  (/^\/\*\*([\s\S]*?)\*\//.exec(source)?.[1] ?? "").split("\n").map((line) => line.replace(/^\s*\* ?/, "")).join("\n")
    .trim()

const page = (path: string): Link => {
  const text = read(path)
  const to = pages.get(path)!
  put(to, plain(linked(text, path)))
  return { text: titleOf(text, basename(path, ".md")), link: `/${to.replace(/(?:index)?\.md$/, "")}` }
}

rmSync(target, { recursive: true, force: true })
mkdirSync(target, { recursive: true })

// Guide

const order: ReadonlyArray<readonly [section: string, names: ReadonlyArray<string>]> = JSON.parse(
  readFileSync(join(here, "guide.json"), "utf8")
)
const placed = new Set(order.flatMap(([, names]) => names))
const forgotten = globSync("docs/*.md", { cwd: root }).map((path) => basename(path, ".md")).filter((name) =>
  !placed.has(name)
)
if (forgotten.length > 0) throw new Error(`site/guide.json has no place for docs/${forgotten.join(", docs/")}`)
const guide = order.map(([text, names]) => ({ text, items: names.map((name) => page(`docs/${name}.md`)) }))
for (const name of globSync("docs/**/*.{svg,png}", { cwd: root })) cpSync(join(root, name), join(target, name))

const decisions = globSync("docs/decisions/*.md", { cwd: root }).toSorted().map(page)
put(
  "docs/decisions/index.md",
  `# Decisions\n\n${decisions.map(({ link, text }) => `- [${text}](${link})`).join("\n")}\n`
)
const about = ["CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"].map(page)
put("license.md", `# License\n\n${read("LICENSE")}`)
page("README.md")

// Examples

const examples = globSync("examples/*.ts", { cwd: root }).toSorted().map((path): Link => {
  const source = read(path)
  const code = source.replace(/^\/\*\*[\s\S]*?\*\/\s*/, "").replace(/^\s*\/\/ #(?:end)?region.*\n/gm, "")
  const name = basename(path, ".ts")
  put(
    `examples/${name}.md`,
    `# ${name}\n\n${plain(commentOf(source))}\n\n\`\`\`ts\n${
      code.replaceAll("\"../src/index.ts\"", "\"effect-llm\"").trim()
    }\n\`\`\`\n`
  )
  return { text: name, link: `/examples/${name}` }
})
put(
  "examples/index.md",
  `# Examples\n\nEach runs without a key: \`node examples/NAME.ts\`.\n\n${
    examples.map(({ link, text }) => `- [${text}](${link})`).join("\n")
  }\n`
)

// Providers

const providers = providerPages().map(({ name, text }): Link => {
  put(`providers/${name}.md`, plain(text))
  return { text: name, link: `/providers/${name}` }
})
put("providers/index.md", `# Providers\n\n${providers.map(({ link, text }) => `- [${text}](${link})`).join("\n")}\n`)

// Reference

const { exports } = JSON.parse(read("package.json")) as { exports: Record<string, string | { types: string }> }
const entryPoints = Object.entries(exports).flatMap(([subpath, door]) =>
  typeof door === "string" || subpath === "."
    ? []
    : [join(root, door.types.replace("./dist/", "src/").replace(/\.d\.ts$/, ".ts"))]
)
execFileSync(process.execPath, [
  join(here, "node_modules/typedoc/bin/typedoc"),
  "--plugin",
  "typedoc-plugin-markdown",
  "--tsconfig",
  join(root, "tsconfig.build.json"),
  "--out",
  join(target, "reference"),
  "--outputFileStrategy",
  "modules",
  "--flattenOutputFiles",
  "true",
  "--entryFileName",
  "index",
  "--readme",
  "none",
  "--disableSources",
  "--excludePrivate",
  "--excludeInternal",
  "--excludeExternals",
  "--hidePageHeader",
  "true",
  "--hideBreadcrumbs",
  "true",
  "--skipErrorChecking",
  "--logLevel",
  "Error",
  "--parametersFormat",
  "table",
  "--interfacePropertiesFormat",
  "table",
  "--sort",
  "source-order",
  "--useHTMLAnchors",
  "true",
  "--excludeTags",
  "@since",
  "--excludeTags",
  "@category",
  "--blockTags",
  ...["@category", "@since", "@stability", "@default", "@example", "@see", "@deprecated", "@throws", "@remarks"],
  ...entryPoints.flatMap((file) => ["--entryPoints", file])
], { cwd: here, stdio: "inherit" })
const reference = Object.entries(exports).flatMap(([subpath, door]): ReadonlyArray<Link> => {
  if (typeof door === "string" || subpath === ".") return []
  const source = door.types.replace("./dist/", "").replace(/\.d\.ts$/, "")
  const name = source.replaceAll("/", ".").replace(/\.index$/, "")
  const file = join(target, "reference", `${name}.md`)
  const text = readFileSync(file, "utf8")
  // The comment that a file begins with, which TypeDoc would only show with a tag of its own.
  const words = commentOf(read(`src/${source}.ts`)).replace(/^@\w+.*$/gm, "").trim()
  const title = `effect-llm/${subpath.slice(2)}`
  writeFileSync(file, `# ${title}\n\n${plain(words)}\n${text.replace(/^# .*\n/, "")}`)
  return [{ text: subpath.slice(2), link: `/reference/${name}` }]
})
put(
  "reference/index.md",
  `# Reference\n\nOne page for each subpath; most are namespaces of \`effect-llm\` as well. How long each export can be relied on: [stability](/docs/stability).\n\n${
    reference.map(({ link, text }) => `- [${text}](${link})`).join("\n")
  }\n`
)

writeFileSync(
  join(target, "sidebar.json"),
  JSON.stringify([
    ...guide,
    { text: "Examples", collapsed: true, items: examples },
    { text: "Providers", collapsed: true, items: providers },
    { text: "Reference", collapsed: true, items: reference },
    { text: "Decisions", collapsed: true, items: decisions },
    { text: "About", items: about }
  ])
)

execFileSync(process.execPath, [join(here, "node_modules/vitepress/bin/vitepress.js"), "build", here], {
  cwd: here,
  stdio: "inherit"
})
