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

/** The fields of an interface, with their types where those are short. */
const fieldsOf = (statement: ts.Statement): string => {
  if (!ts.isInterfaceDeclaration(statement)) return ""
  const fields = statement.members.flatMap((member) => {
    if (!ts.isPropertySignature(member)) return []
    const type = member.type?.getText().replace(/\s*\|\s*undefined$/, "").replace(/\s+/g, " ") ?? ""
    const name = `${member.name.getText()}${member.questionToken === undefined ? "" : "?"}`
    return [type === "" || type.length > 60 ? name : `${name}: ${type}`]
  })
  return fields.length === 0 ? "" : ` \`{ ${fields.join("; ")} }\``
}

const parse = (file: URL): ts.SourceFile =>
  ts.createSourceFile(file.href, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true)

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
    const words = firstSentence(commentBefore(source, statement)).replaceAll("<", "&lt;")
    for (const name of namesOf(statement)) {
      if (!lines.has(name)) lines.set(name, `- \`${type ? "type " : ""}${name}\`: ${words}${fieldsOf(statement)}`)
    }
  }
  return lines
}

/** The first sentence of the comment that a file begins with. */
export const headerOf = (path: string): string =>
  firstSentence(/^\/\*\*[\s\S]*?\*\//.exec(readFileSync(new URL(path, root), "utf8"))?.[0] ?? "")

/** The exports of a module under src/, as a list in Markdown. */
export const summaryOf = (module: string): string => {
  const path = `src/${module}.ts`
  return `### ${module.split("/").at(-1)}\n\n${headerOf(path)}\n\n${
    [...exportsOf(new URL(path, root)).values()].join("\n")
  }`
}
