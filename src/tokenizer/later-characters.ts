/**
 * The crates behind tokenizers 0.23 know the characters of Unicode 8 (categories) and 9 (marks, normalization); later ones are plain to them,
 * on every platform. Ranges for a character class: the later ones that would matter, and some between them that do not.
 */
export const AFTER_8 =
  '\\u061d\\u07fd\\u0890-\\u08e2\\u09fd-\\u09fe\\u0a76\\u0afa-\\u0aff\\u0b55\\u0c04-\\u0c3c\\u0c77\\u0c84' +
  '\\u0d00\\u0d3b-\\u0d3c\\u0d81\\u0eba\\u0ece\\u180f-\\u1886\\u1abf-\\u1aeb\\u1b4e-\\u1b4f\\u1b7d-\\u1b7f' +
  '\\u1df6-\\u1dfb\\u2e43-\\u2e5d\\ua82c\\ua8c5\\ua8ff\\ua9bd\\u{10d24}-\\u{10f89}\\u{11070}-\\u{11074}' +
  '\\u{110c2}-\\u{110cd}\\u{111c9}\\u{111cf}\\u{1123e}-\\u{11241}\\u{1133b}\\u{113bb}-\\u{1145e}' +
  '\\u{11660}-\\u{1166c}\\u{116b9}\\u{1182f}-\\u{11fff}\\u{12ff1}-\\u{1612f}\\u{16d6d}-\\u{16f4f}' +
  '\\u{16fe2}-\\u{16fe4}\\u{1cf00}-\\u{1cf46}\\u{1e000}-\\u{1e6f5}\\u{1e944}-\\u{1e95f}';
export const AFTER_9 =
  '\\u07fd\\u0897-\\u08d3\\u09fe\\u0afa-\\u0aff\\u0b55\\u0c04-\\u0c3c\\u0cf3-\\u0d00\\u0d3b-\\u0d3c\\u0d81' +
  '\\u0eba\\u0ece\\u1715\\u180f\\u1abf-\\u1aeb\\u1cf7\\u1df6-\\u1dfa\\u32ff\\ua7f1-\\ua7f4\\ua82c\\ua8ff' +
  '\\uab69\\u{105c9}-\\u{107ba}\\u{10d24}-\\u{10f85}\\u{11070}-\\u{11074}\\u{110c2}' +
  '\\u{11145}-\\u{11146}\\u{111c9}\\u{111ce}-\\u{111cf}\\u{11241}\\u{1133b}\\u{11382}-\\u{113e2}' +
  '\\u{1145e}\\u{1182c}-\\u{11b67}\\u{11d31}-\\u{1612f}\\u{16d63}-\\u{16f4f}\\u{16f7f}-\\u{16f87}' +
  '\\u{16fe4}-\\u{16ff1}\\u{1ccd6}-\\u{1cf46}\\u{1e030}-\\u{1e6f5}\\u{1f16c}\\u{1fbf0}-\\u{1fbf9}';
