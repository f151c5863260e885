/**
 * Which faults are put into a source, and how: every chosen fault is compiled in beside what it replaces, and `__fault(id)` says at run
 * time which one is in force.
 *
 * No fault is put where none could be told from what is right: types, imports, the data of the catalogue, the words of messages.
 */
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import ts from "typescript-5.9"

/** One fault: what stands between two places of a file is replaced by a text. */
export interface Fault {
  readonly id: number
  readonly file: string
  readonly line: number
  readonly from: number
  readonly to: number
  /** What stands there instead. */
  readonly text: string
  /** What changes, for people. */
  readonly shown: string
  readonly form: "expression" | "statement" | "name"
  /** Whether it begins a line that an open expression above would go on with. */
  readonly leads: boolean
}

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
  "/": "*",
  "%": "*"
}

const otherName: ReadonlyMap<string, string> = new Map(Object.entries({
  "Math.min": "Math.max",
  "Math.max": "Math.min",
  "Math.ceil": "Math.floor",
  "Math.floor": "Math.ceil",
  "Duration.seconds": "Duration.millis",
  "Duration.minutes": "Duration.seconds",
  "Duration.millis": "Duration.seconds"
}))

/** Methods that give back the kind they were called on: without them a step is lost. */
const steps = new Set(["filter", "trim", "toLowerCase", "toSorted", "toReversed", "slice", "toWellFormed"])
/** Functions that give back the kind they were called with: without them a release, a scrub or a bound is lost. */
const wrapping =
  /^(Effect\.(uninterruptible|interruptible|scoped|ignore|suspend)|(\w+\.)*(scrub\w*|redact\w*|named|bounded|clamped|wellFormed|whole))$/

const isType = (node: ts.Node): boolean =>
  ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)

/** Words for people: `message` and `description` of what is made, and templates. */
const isWords = (
  node: ts.Node
): boolean => (ts.isPropertyAssignment(node) && /^(message|description)$/.test(node.name.getText()))

const isAssignment = (kind: ts.SyntaxKind): boolean =>
  kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment

type Replacement = readonly [node: ts.Node, text: string, form?: Fault["form"]]

const without = (node: ts.CallExpression, index: number, source: ts.SourceFile): string => {
  const left = node.arguments.filter((_, at) => at !== index).map((one) => one.getText(source))
  return `${node.expression.getText(source)}(${left.join(", ")})`
}

/** What can stand in place of a node: a condition that is dropped, a branch that is swapped, a step or a release that is lost, a wrong unit. */
const replacements = (node: ts.Node, source: ts.SourceFile): ReadonlyArray<Replacement> => {
  const text = (one: ts.Node) => one.getText(source)
  if (ts.isIfStatement(node) || ts.isConditionalExpression(node)) {
    const condition = ts.isIfStatement(node) ? node.expression : node.condition
    return [[condition, "true"], [condition, "false"]]
  }
  if (ts.isWhileStatement(node)) return [[node.expression, "false"]]
  if (ts.isBinaryExpression(node)) {
    const operator = text(node.operatorToken)
    if (operator === "??") {
      return text(node.right) === "undefined"
        ? [[node, text(node.right)]]
        : [[node, text(node.left)], [node, text(node.right)]]
    }
    const other = swapped[operator]
    const isText = [node.left, node.right].some((one) => ts.isStringLiteralLike(one) || ts.isTemplateExpression(one))
    if (other === undefined || (operator === "+" && isText)) return []
    const swap: Replacement = [node, `${text(node.left)} ${other} ${text(node.right)}`]
    return operator === "&&" || operator === "||" ? [swap, [node, text(node.left)], [node, text(node.right)]] : [swap]
  }
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) {
    return [[node, text(node.operand)]]
  }
  if (ts.isExpressionStatement(node)) {
    const { expression } = node
    const isStep = ts.isCallExpression(expression) || ts.isYieldExpression(expression) ||
      ts.isPostfixUnaryExpression(expression) || ts.isDeleteExpression(expression) ||
      (ts.isBinaryExpression(expression) && isAssignment(expression.operatorToken.kind))
    return !isStep || text(node).startsWith("super") ? [] : [[node, "", "statement"]]
  }
  if (ts.isCallExpression(node)) {
    const callee = text(node.expression)
    const found: Array<Replacement> = []
    if (callee === "pipe" || callee.endsWith(".pipe")) {
      node.arguments.forEach((_, index) => {
        if (callee === "pipe" && index === 0) return
        found.push([node, without(node, index, source)])
      })
    }
    const other = otherName.get(callee)
    if (other !== undefined) found.push([node.expression, other])
    if (ts.isPropertyAccessExpression(node.expression) && steps.has(node.expression.name.text)) {
      found.push([node, text(node.expression.expression)])
    }
    if (node.arguments.length === 1 && wrapping.test(callee) && !ts.isFunctionLike(node.arguments[0]!)) {
      found.push([node, text(node.arguments[0]!)])
    }
    return found
  }
  if (ts.isSpreadAssignment(node)) return [[node.expression, "{}"]]
  if (ts.isSpreadElement(node) && ts.isArrayLiteralExpression(node.parent)) return [[node.expression, "[]"]]
  if (ts.isNumericLiteral(node) && !ts.isEnumMember(node.parent)) {
    const value = Number(node.text.replaceAll("_", ""))
    const isName = ts.isPropertyAssignment(node.parent) && node.parent.name === node
    return [[node, value >= 10 ? String(value * 1000) : String(value + 1), isName ? "name" : "expression"]]
  }
  if (node.kind === ts.SyntaxKind.TrueKeyword) return [[node, "false"]]
  if (node.kind === ts.SyntaxKind.FalseKeyword) return [[node, "true"]]
  return []
}

/** Whether parentheses around a node would end a chain of `?.`. */
const isInChain = ({ parent }: ts.Node): boolean => (parent.flags & ts.NodeFlags.OptionalChain) !== 0

const leadsStatement = (node: ts.Node): boolean => {
  let at = node
  while (!ts.isExpressionStatement(at) && at.parent !== undefined && at.parent.getStart() === node.getStart()) {
    at = at.parent
  }
  return ts.isExpressionStatement(at) &&
    (ts.isBlock(at.parent) || ts.isSourceFile(at.parent) || ts.isCaseOrDefaultClause(at.parent))
}

const short = (text: string): string => text.replace(/\s+/g, " ").slice(0, 90)

/** The faults that are possible in a file. */
export const faultsOf = (root: string, file: string): ReadonlyArray<Omit<Fault, "id">> => {
  const source = ts.createSourceFile(file, readFileSync(`${root}/${file}`, "utf8"), ts.ScriptTarget.Latest, true)
  const faults: Array<Omit<Fault, "id">> = []
  const visit = (node: ts.Node): void => {
    if (isType(node) || isWords(node) || ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return
    for (const [place, text, form = "expression"] of replacements(node, source)) {
      if (isInChain(place)) continue
      const from = place.getStart(source)
      const { line } = source.getLineAndCharacterOfPosition(from)
      faults.push({
        file,
        line: line + 1,
        from,
        to: place.getEnd(),
        text,
        shown: `${short(place.getText(source))} -> ${short(text)}`,
        form,
        leads: form === "expression" && leadsStatement(place)
      })
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return faults
}

/** A block of a file: what runs as a whole, unless it is left early. */
export interface Block {
  readonly from: number
  readonly to: number
}

/** The bodies of functions and the branches of a source, in the order of their beginnings. */
const blocksOf = (source: ts.SourceFile): ReadonlyArray<Block> => {
  const blocks: Array<Block> = []
  const visit = (node: ts.Node): void => {
    if (isType(node)) return
    const isBody = ts.isArrowFunction(node.parent ?? node) && (node.parent as ts.ArrowFunction).body === node
    if (ts.isBlock(node) || isBody) blocks.push({ from: node.getStart(source), to: node.getEnd() })
    ts.forEachChild(node, visit)
  }
  ts.forEachChild(source, visit)
  return blocks
}

/** A name of a block that stays when others around it change. */
const nameOf = (file: string, text: string, { from, to }: Block): string =>
  `${file}#${createHash("sha256").update(text.slice(from, to)).digest("hex").slice(0, 12)}`

/** The blocks of a file with their names. */
export const blocksIn = (root: string, file: string): ReadonlyArray<Block & { readonly name: string }> => {
  const text = readFileSync(`${root}/${file}`, "utf8")
  return blocksOf(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true))
    .map((block) => ({ ...block, name: nameOf(file, text, block) }))
}

/** A source that tells `__reached` the name of each block that runs. */
export const withBlocks = (file: string, text: string): string => {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const marks: Array<readonly [at: number, order: number, text: string]> = []
  blocksOf(source).forEach((block) => {
    const { from, to } = block
    const mark = `__reached(${JSON.stringify(nameOf(file, text, block))})`
    if (text[from] === "{") marks.push([from + 1, 0, `${mark};`])
    else marks.push([from, 1, `(${mark}, `], [to, -1, ")"])
  })
  let result = ""
  let at = 0
  for (const [place, , mark] of marks.toSorted((a, b) => a[0] - b[0] || a[1] - b[1])) {
    result += text.slice(at, place) + mark
    at = place
  }
  return result + text.slice(at)
}

/** A source with its faults compiled in. */
export const withFaults = (source: string, faults: ReadonlyArray<Fault>): string => {
  const render = (from: number, to: number, within: ReadonlyArray<Fault>): string => {
    let text = ""
    let at = from
    const left = within.toSorted((a, b) => a.from - b.from || b.to - a.to)
    while (left.length > 0) {
      const { from: start, leads, to: end } = left[0]!
      const isHere = (one: Fault) => one.from === start && one.to === end
      const here = left.filter(isHere)
      const inside = left.filter((one) => !isHere(one) && one.from >= start && one.to <= end)
      let inner = render(start, end, inside)
      const expressions = here.filter(({ form }) => form === "expression")
      if (expressions.length > 0) {
        const arms = expressions.map(({ id, text }) => `__fault(${id}) ? (${text}) : `).join("")
        inner = `${leads ? ";" : ""}(${arms}(${inner}))`
      }
      for (const { form, id, text } of here) {
        if (form === "name") inner = `[__fault(${id}) ? ${text} : ${inner}]`
        if (form === "statement") inner = `if (!__fault(${id})) { ${inner}\n }`
      }
      text += source.slice(at, start) + inner
      at = end
      left.splice(0, left.length, ...left.filter((one) => one.from >= end))
    }
    return text + source.slice(at, to)
  }
  return render(0, source.length, faults)
}
