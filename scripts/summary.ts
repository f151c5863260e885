/** One line for each public export: what it is called, its type where that is short, and the first sentence of its doc comment. */
import { readFileSync } from "node:fs"
import ts from "typescript-6"

const root = new URL("../", import.meta.url)

const firstSentence = (comment: string): string => {
  const text = comment.replace(/^\/\*\*|\*\/$/g, "").split("\n").map((line) => line.replace(/^\s*\* ?/, "")).join("\n")
    .trim()
  const paragraph = text.split(/\n\s*\n|(?:^|\s)@\w/)[0]!.replace(/\{@link ([^}]+)\}/g, "`$1`").replace(/\s+/g, " ")
    .trim()
  return /^.*?[.!?](?= |$)/.exec(paragraph)?.[0] ?? paragraph
}

const commentBefore = (source: ts.SourceFile, node: ts.Node): string =>
  (ts.getLeadingCommentRanges(source.text, node.pos) ?? [])
    .map(({ end, pos }) => source.text.slice(pos, end)).filter((text) => text.startsWith("/**")).at(-1) ?? ""

const namesOf = (statement: ts.Statement): ReadonlyArray<string> =>
  ts.isVariableStatement(statement)
    ? statement.declarationList.declarations.map(({ name }) => name.getText())
    : "name" in statement && statement.name !== undefined
    ? [(statement.name as ts.Node).getText()]
    : []

/** A type in short: without `readonly` and `| undefined`, which say nothing to who calls, and without the namespaces a reader knows. */
const words = (node: ts.Node | undefined): string =>
  (node?.getText() ?? "").replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "")
    // A line of a literal type ends a field.
    .replace(/([^{;,\s])\s*\n\s*(?=readonly )/g, "$1; ").replace(/\s+/g, " ").replace(/ ?\| undefined\b/g, "")
    .replace(/\breadonly /g, "").replace(/^\| /, "").replace(/([({<] ?|: )\| /g, "$1")
    .replace(
      /\b(Effect|Stream|Layer|Option|Result|Exit|Redacted|Schedule|LlmError|LlmRequest|LlmResponse|LlmService|Message)\.(?=[A-Z])/g,
      ""
    )
    .replace(/\bReadonlyArray<([\w.]+(?:<\w+(?:, \w+)*>)?)>/g, "$1[]").trim()

/** What a provider's answer carries for the next request: nobody writes it. */
const opaque = ["signature", "encrypted", "replay", "origin"]

/** The properties of an object, with their types where those are short. */
const propertiesOf = (members: ReadonlyArray<ts.TypeElement>): ReadonlyArray<string> =>
  members.flatMap((member) => {
    if (!ts.isPropertySignature(member) || (member.questionToken && opaque.includes(member.name.getText()))) return []
    const type = words(member.type)
    const name = `${member.name.getText()}${member.questionToken === undefined ? "" : "?"}`
    return [type === "" || type.length > longest.field ? name : `${name}: ${type}`]
  })

const inBraces = (fields: ReadonlyArray<string>): string => fields.length === 0 ? "" : `{ ${fields.join("; ")} }`

/** The members of a union, or of an intersection, in short: tags with fields, literals, names. */
const membersOf = (type: ts.TypeNode): string => {
  if (ts.isUnionTypeNode(type)) return type.types.map(membersOf).join(" | ")
  if (ts.isIntersectionTypeNode(type)) return type.types.map(membersOf).join(" & ")
  if (ts.isParenthesizedTypeNode(type)) return `(${membersOf(type.type)})`
  if (ts.isTypeLiteralNode(type)) {
    // That a field of one member is not in another is said by leaving it out.
    return inBraces(propertiesOf(type.members).filter((field) => !field.endsWith("?: undefined")))
  }
  return words(type)
}

/** The longest type of an alias, and the longest type of a result, that are written out. */
const longest = { alias: 1200, field: 130, result: 60, parameter: 48 }

const typeOf = (statement: ts.Statement): string => {
  if (ts.isInterfaceDeclaration(statement)) {
    const base = (statement.heritageClauses ?? []).flatMap(({ types }) => types).map(words)
    return [...base, inBraces(propertiesOf(statement.members))].filter((text) => text !== "").join(" & ")
  }
  // What a tagged error is made of.
  if (ts.isClassDeclaration(statement)) {
    const [fields] = statement.heritageClauses?.[0]?.types[0]?.typeArguments ?? []
    return fields === undefined || fields.getText() === "ReasonFields" ? "" : membersOf(fields)
  }
  if (!ts.isTypeAliasDeclaration(statement)) return ""
  const text = membersOf(statement.type)
  // What computes with its parameters is for types, not for readers.
  const computes = statement.typeParameters !== undefined && / extends |\[\w+ in /.test(text)
  return computes || text.length > longest.alias ? "" : text
}

/** How a function is called: its parameters, and what it gives; of several ways the first. */
const callOf = (statement: ts.Statement, name: string): string => {
  const found = ts.isFunctionDeclaration(statement) ? statement : signatureOf(statement, name)
  if (found === undefined) return name
  const parameters = found.parameters.map(({ dotDotDotToken, initializer, name, questionToken, type }) => {
    const optional = questionToken !== undefined || initializer !== undefined
    const text = words(type)
    const shown = text === "" || text.length > longest.parameter ? "" : `: ${text}`
    return `${dotDotDotToken === undefined ? "" : "..."}${ts.isIdentifier(name) ? name.text : "options"}${
      optional ? "?" : ""
    }${shown}`
  })
  const result = words(found.type)
  return `${name}(${parameters.join(", ")})${result === "" || result.length > longest.result ? "" : `: ${result}`}`
}

const signatureOf = (statement: ts.Statement, name: string): ts.SignatureDeclaration | undefined => {
  if (!ts.isVariableStatement(statement)) return undefined
  const declaration = statement.declarationList.declarations.find((declaration) => declaration.name.getText() === name)
  if (declaration?.type !== undefined && ts.isTypeLiteralNode(declaration.type)) {
    return declaration.type.members.find(ts.isCallSignatureDeclaration)
  }
  if (declaration?.type !== undefined && ts.isFunctionTypeNode(declaration.type)) return declaration.type
  return declaration?.initializer !== undefined && ts.isArrowFunction(declaration.initializer)
    ? declaration.initializer
    : undefined
}

const isMetric = (statement: ts.Statement): boolean =>
  ts.isVariableStatement(statement) &&
  statement.declarationList.declarations.some(({ initializer }) => initializer?.getText().startsWith("Metric."))

const parse = (file: URL): ts.SourceFile =>
  ts.createSourceFile(file.href, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true)

/** Stands for the line of a metric: all of a module share one. */
const metric = "metric"

/** A line for each export, by name; what a module passes on is its own. */
const exportsOf = (file: URL): ReadonlyMap<string, string> => {
  const source = parse(file)
  const lines = new Map<string, string>()
  for (const statement of source.statements) {
    if (ts.isExportDeclaration(statement)) {
      const { exportClause, moduleSpecifier } = statement
      if (moduleSpecifier === undefined || !ts.isStringLiteral(moduleSpecifier)) continue
      const passedOn = exportsOf(new URL(moduleSpecifier.text, file))
      const names = exportClause !== undefined && ts.isNamedExports(exportClause)
        ? exportClause.elements.map(({ name }) => name.getText())
        : [...passedOn.keys()]
      for (const name of names) if (passedOn.has(name) && !lines.has(name)) lines.set(name, passedOn.get(name)!)
      continue
    }
    const exported = ts.canHaveModifiers(statement) &&
      (ts.getModifiers(statement) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
    if (!exported) continue
    const type = ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)
    const sentence = firstSentence(commentBefore(source, statement)).replaceAll("<", "&lt;")
    const shape = typeOf(statement)
    for (const name of namesOf(statement)) {
      if (lines.has(name)) continue
      lines.set(
        name,
        isMetric(statement)
          ? metric
          : `- \`${type ? "type " : ""}${callOf(statement, name)}\`: ${sentence}${shape === "" ? "" : ` \`${shape}\``}`
      )
    }
  }
  return lines
}

/** The first sentence of the comment that a file begins with. */
export const headerOf = (path: string): string =>
  firstSentence(/^\/\*\*[\s\S]*?\*\//.exec(readFileSync(new URL(path, root), "utf8"))?.[0] ?? "")

/** The exports of a module under src/ without those left out, as a list in Markdown. */
export const summaryOf = (module: string, without: ReadonlyArray<string> = []): string => {
  const path = `src/${module}.ts`
  const all = exportsOf(new URL(path, root))
  const missing = without.find((name) => !all.has(name))
  if (missing !== undefined) throw new Error(`${path} has no ${missing}`)
  const entries = [...all].filter(([name]) => !without.includes(name))
  const metrics = entries.flatMap(([name, line]) => line === metric ? [`\`${name}\``] : [])
  return `### ${module.split("/").at(-1)}\n\n${headerOf(path)}\n\n${
    [
      ...entries.flatMap(([, line]) => line === metric ? [] : [line]),
      ...(metrics.length === 0 ? [] : [`- Metrics: ${metrics.join(", ")}.`])
    ].join("\n")
  }`
}
