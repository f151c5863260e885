/**
 * Slashes at the end of URLs.
 *
 * @since 0.1.0
 */

/**
 * A URL or path without the slashes at its end.
 *
 * @category urls
 * @since 0.1.0
 */
export const withoutTrailingSlashes = (url: string): string => {
  let end = url.length
  while (end > 0 && url.charCodeAt(end - 1) === 47) end--
  return url.slice(0, end)
}
