/**
 * Pages that come instead of answers, from proxies and wrong addresses.
 *
 * @since 0.1.0
 */

/** A page says early what it is called. A title without its end may end within a secret. */
const titled = 4096

/**
 * The title of an HTML page, `undefined` when it has none.
 *
 * @category decoding
 * @since 0.1.0
 */
export const titleOf = (page: string): string | undefined => {
  const beginning = page.slice(0, titled)
  const tag = beginning.search(/<title/i)
  const from = tag === -1 ? -1 : beginning.indexOf(">", tag)
  const to = from === -1 ? -1 : beginning.indexOf("<", from)
  return to === -1 ? undefined : beginning.slice(from + 1, to).trim()
}
