/**
 * `LlmConfig` for applications that are bundled as well: every provider is named to the bundler.
 *
 * @since 0.1.0
 */
// oxlint-disable-next-line import/no-unassigned-import -- it is what makes this the door for bundlers
import "./providers.ts"

export * from "../config/LlmConfig.ts"
