/**
 * Puts one plausible fault after another into a copy of the sources and asks the tests whether they notice.
 *
 * `npm run mutation -- --under src/transport --count 40 --seed 1` takes a random sample of the faults that are possible under a path, runs
 * for each the tests that import the file, and prints every survivor with its place and a score per folder. Without `--count` all
 * are taken, which takes hours. A run that does not end in time counts as noticed. Exits with 1 below `--least` percent.
 */
import { Array as Arr } from "effect"
import { spawnSync } from "node:child_process"
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import ts from "typescript-5.9"

const root = fileURLToPath(new URL("../", import.meta.url))
const { values } = parseArgs({
  options: {
    under: { type: "string", default: "src" },
    count: { type: "string" },
    seed: { type: "string", default: "1" },
    least: { type: "string", default: "0" }
  }
})

// Beyond the longest that the tests of one file take.
const patienceMillis = 10 * 60 * 1000

interface Fault {
  readonly file: string
  readonly line: number
  readonly from: number
  readonly to: number
  readonly text: string
}

// =============================================================================
// Faults
// =============================================================================

const swapped: { readonly [operator: string]: string } = {
  "===": "!==",
  "!==": "===",
  "<": "<=",
  "<=": "<",
  ">": ">=",
  ">=": ">",
  "&&": "||",
  "||": "&&",
  "+": "-",
  "-": "+",
  "*": "/",
  "/": "*"
}

const isType = (node: ts.Node): boolean =>
  ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)

/** What can stand in place of a node: a condition that is dropped, a branch that is swapped, a step or a release that is lost, a wrong unit. */
const replacements = (node: ts.Node, source: ts.SourceFile): ReadonlyArray<readonly [ts.Node, string]> => {
  if (ts.isIfStatement(node) || ts.isConditionalExpression(node)) {
    const condition = ts.isIfStatement(node) ? node.expression : node.condition
    return [[condition, "true"], [condition, "false"]]
  }
  if (ts.isBinaryExpression(node)) {
    const operator = node.operatorToken.getText(source)
    if (operator === "??") return [[node, node.left.getText(source)], [node, node.right.getText(source)]]
    const other = swapped[operator]
    const isText = ts.isStringLiteralLike(node.left) || ts.isStringLiteralLike(node.right) ||
      ts.isTemplateExpression(node.left)
    return other === undefined || (operator === "+" && isText) ? [] : [[node.operatorToken, other]]
  }
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) {
    return [[node, node.operand.getText(source)]]
  }
  if (
    ts.isExpressionStatement(node) && (ts.isCallExpression(node.expression) || ts.isYieldExpression(node.expression))
  ) {
    return node.getText(source).startsWith("super") ? [] : [[node, ";"]]
  }
  if (ts.isNumericLiteral(node) && !ts.isEnumMember(node.parent)) {
    const value = Number(node.text.replaceAll("_", ""))
    return [[node, value >= 10 ? String(value * 1000) : String(value + 1)]]
  }
  if (node.kind === ts.SyntaxKind.TrueKeyword && !isType(node.parent)) return [[node, "false"]]
  if (node.kind === ts.SyntaxKind.FalseKeyword && !isType(node.parent)) return [[node, "true"]]
  return []
}

const faultsOf = (file: string): ReadonlyArray<Fault> => {
  const source = ts.createSourceFile(file, readFileSync(join(root, file), "utf8"), ts.ScriptTarget.Latest, true)
  const faults: Array<Fault> = []
  const visit = (node: ts.Node): void => {
    if (isType(node) || ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return
    for (const [place, text] of replacements(node, source)) {
      const from = place.getStart(source)
      const { line } = source.getLineAndCharacterOfPosition(from)
      faults.push({ file, line: line + 1, from, to: place.getEnd(), text })
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return faults
}

/** A small generator, so that a seed names a sample: https://en.wikipedia.org/wiki/Linear_congruential_generator */
const randomBy = (seed: number) => () => (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32

const sampled = <A>(all: ReadonlyArray<A>, count: number, random: () => number): ReadonlyArray<A> => {
  const left = [...all]
  return Array.from(
    { length: Math.min(count, all.length) },
    () => left.splice(Math.floor(random() * left.length), 1)[0]!
  )
}

// =============================================================================
// Running
// =============================================================================

const copy = mkdtempSync(join(tmpdir(), "mutation-"))
for (
  const name of [
    "src",
    "test",
    "scripts",
    "examples",
    "bench",
    "package.json",
    "tsconfig.json",
    "vitest.config.ts",
    "README.md",
    "docs"
  ]
) {
  cpSync(join(root, name), join(copy, name), { recursive: true })
}
symlinkSync(join(root, "node_modules"), join(copy, "node_modules"))

/** Whether the tests that import a file fail. */
const isNoticed = (file: string): boolean =>
  spawnSync(
    process.execPath,
    [
      join(root, "node_modules/vitest/vitest.mjs"),
      "related",
      file,
      "--run",
      "--bail",
      "1",
      "--reporter",
      "dot",
      "--testTimeout",
      "60000"
    ],
    { cwd: copy, timeout: patienceMillis, killSignal: "SIGKILL", stdio: "ignore" }
  ).status !== 0

const folderOf = ({ file }: Fault): string => dirname(file)

let survivors = 0
try {
  const all = globSync([values.under, `${values.under}/**/*.ts`], { cwd: root })
    .filter((file) => file.endsWith(".ts") && file !== "src/index.ts")
    .toSorted()
    .flatMap(faultsOf)
  const chosen = sampled(
    all,
    values.count === undefined ? all.length : Number(values.count),
    randomBy(Number(values.seed))
  )
  console.log(`${all.length} faults are possible under ${values.under}; ${chosen.length} are tried.`)
  const tried: Array<{ readonly fault: Fault; readonly noticed: boolean }> = []
  for (const fault of chosen) {
    const original = readFileSync(join(root, fault.file), "utf8")
    const mutated = original.slice(0, fault.from) + fault.text + original.slice(fault.to)
    writeFileSync(join(copy, fault.file), mutated)
    const noticed = isNoticed(fault.file)
    writeFileSync(join(copy, fault.file), original)
    tried.push({ fault, noticed })
    const was = original.slice(fault.from, fault.to).replace(/\s+/g, " ").slice(0, 60)
    console.log(`${noticed ? "noticed " : "SURVIVED"} ${fault.file}:${fault.line} ${was} -> ${fault.text.slice(0, 40)}`)
  }
  console.log("\n| folder | tried | noticed | score |\n| --- | --- | --- | --- |")
  for (const [folder, those] of Object.entries(Arr.groupBy(tried, ({ fault }) => folderOf(fault)))) {
    const noticed = those.filter((one) => one.noticed).length
    console.log(`| ${folder} | ${those.length} | ${noticed} | ${Math.round(100 * noticed / those.length)} % |`)
  }
  survivors = tried.filter(({ noticed }) => !noticed).length
  if (100 * (tried.length - survivors) < Number(values.least) * tried.length) process.exitCode = 1
} finally {
  rmSync(copy, { recursive: true, force: true })
}
