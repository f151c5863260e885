/**
 * Pages that come instead of answers, from proxies and wrong addresses.
 *
 * @since 0.1.0
 */

/** A page says early what it is called. A title without its end may end within a secret. */
const titled = 4096

/**
 * The title of a page.
 *
 * @category pages
 * @since 0.1.0
 */
export const titleOf = (page: string): string | undefined =>
  /<title[^>]*>([^<]*)</i.exec(page.slice(0, titled))?.[1]?.trim()
