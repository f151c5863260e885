/**
 * Formats of images, documents, audio and video: media types here, short names on the wire.
 *
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html
 *
 * @since 0.1.0
 */

/**
 * The kinds of media that a content block can hold.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type MediaKind = "image" | "document" | "audio" | "video"

/** The first of a format's media types is the one that is told. */
const formats: { readonly [kind in MediaKind]: { readonly [format: string]: ReadonlyArray<string> } } = {
  image: {
    png: ["image/png"],
    jpeg: ["image/jpeg", "image/jpg"],
    gif: ["image/gif"],
    webp: ["image/webp"]
  },
  document: {
    pdf: ["application/pdf"],
    csv: ["text/csv"],
    doc: ["application/msword"],
    docx: ["application/vnd.openxmlformats-officedocument.wordprocessingml.document"],
    xls: ["application/vnd.ms-excel"],
    xlsx: ["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
    html: ["text/html"],
    txt: [
      "text/plain",
      "application/json",
      "application/xml",
      "application/yaml",
      "application/x-yaml",
      "application/toml",
      "application/javascript",
      "application/typescript",
      "application/x-ndjson"
    ],
    md: ["text/markdown", "text/x-markdown"]
  },
  audio: {
    mp3: ["audio/mpeg", "audio/mp3"],
    wav: ["audio/wav", "audio/x-wav", "audio/wave"],
    flac: ["audio/flac", "audio/x-flac"],
    ogg: ["audio/ogg"],
    opus: ["audio/opus"],
    aac: ["audio/aac"],
    m4a: ["audio/mp4", "audio/x-m4a", "audio/m4a"],
    webm: ["audio/webm"],
    mka: ["audio/x-matroska", "audio/matroska"],
    pcm: ["audio/pcm", "audio/l16"]
  },
  video: {
    mp4: ["video/mp4"],
    mov: ["video/quicktime"],
    mkv: ["video/x-matroska", "video/matroska"],
    webm: ["video/webm"],
    flv: ["video/x-flv"],
    mpeg: ["video/mpeg"],
    wmv: ["video/x-ms-wmv"],
    three_gp: ["video/3gpp"]
  }
}

/** `image/png; charset=binary` is `image/png`. */
const bareType = (mediaType: string): string => mediaType.split(";", 1)[0]!.trim().toLowerCase()

/**
 * The kind of a file: what its media type says, a document where there is none.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const kindOf = (mediaType: string): MediaKind => {
  const main = bareType(mediaType).split("/", 1)[0]
  return main === "image" || main === "audio" || main === "video" ? main : "document"
}

/**
 * The format of a media type on the wire, or `undefined` when the API takes none such. Any other text is `txt`.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const formatOf = (kind: MediaKind, mediaType: string): string | undefined => {
  const bare = bareType(mediaType)
  const found = Object.entries(formats[kind]).find(([, types]) => types.includes(bare))?.[0]
  return found ?? (kind === "document" && bare.startsWith("text/") ? "txt" : undefined)
}

/**
 * The format that the end of a name tells, such as `s3://bucket/scan.jpg`.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const formatOfName = (kind: MediaKind, name: string): string | undefined => {
  const extension = /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase()
  const format = extension === "jpg"
    ? "jpeg"
    : extension === "htm"
    ? "html"
    : extension === "3gp"
    ? "three_gp"
    : extension
  return format !== undefined && Object.hasOwn(formats[kind], format) ? format : undefined
}

/**
 * The media type of a format; `<kind>/<format>` for formats this version does not know.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const mediaTypeOf = (kind: string, format: string): string => {
  const known: { readonly [kind: string]: { readonly [format: string]: ReadonlyArray<string> } } = formats
  const main = kind === "document" ? "application" : kind
  return (Object.hasOwn(known, kind) && Object.hasOwn(known[kind]!, format) ? known[kind]![format]![0] : undefined) ??
    `${main}/${format === "" ? "octet-stream" : format}`
}
