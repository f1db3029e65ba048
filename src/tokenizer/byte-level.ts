/** Byte-level BPE (GPT-2): every byte is one character of the token. Printable bytes stand for themselves. */
export const byteToCharacter: string[] = [];
export const characterToByte = new Map<string, number>();
for (let byte = 0, others = 0; byte < 256; byte++) {
  const prints = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  byteToCharacter[byte] = String.fromCharCode(prints ? byte : 0x100 + others++);
  characterToByte.set(byteToCharacter[byte], byte);
}
