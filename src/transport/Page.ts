/**
 * What a page that came in place of an answer says of itself.
 *
 * @since 0.1.0
 */

/**
 * The title of an HTML page, `undefined` when it has none.
 *
 * @category decoding
 * @since 0.1.0
 */
export const titleOf = (page: string): string | undefined => {
  const tag = page.search(/<title/i)
  const from = tag === -1 ? -1 : page.indexOf(">", tag)
  if (from === -1) return undefined
  const to = page.indexOf("<", from)
  return page.slice(from + 1, to === -1 ? undefined : to).trim()
}
