/**
 * A PDF of a page with lines of text in a standard font, and of a second one with those of `next`, if there are some. `chinese`: as Asian programs write them, in a font that is not embedded and
 * numbers its characters by one of Adobe's character maps. `encrypted`: locked with an unknown password.
 */
export function makePdf(lines: string[], { encrypted = false, chinese = false, next = [] as string[] } = {}): Buffer {
  const stringOf = (line: string) =>
    chinese ? `<${Buffer.from(line, 'utf16le').swap16().toString('hex')}>` : `(${line.replace(/[\\()]/g, '\\$&')})`;
  const contentOf = (lines: string[]) => {
    const content = `BT /F1 12 Tf 72 720 Td 14 TL ${lines.map((line) => `${stringOf(line)} Tj T*`).join('\n')} ET`;
    return `<< /Length ${content.length} >>\nstream\n${content}\nendstream`;
  };
  const pageOf = (content: number) =>
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents ${content} 0 R /Resources << /Font << /F1 5 0 R >> >> >>`;
  const hasNext = next.length > 0;
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    hasNext ? '<< /Type /Pages /Kids [3 0 R 9 0 R] /Count 2 >>' : '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    pageOf(4),
    contentOf(lines),
    chinese
      ? '<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [7 0 R] >>'
      : '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>',
    // Keys that no password opens.
    `<< /Filter /Standard /V 1 /R 2 /P -4 /O <${'41'.repeat(32)}> /U <${'42'.repeat(32)}> >>`,
    '<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> /FontDescriptor 8 0 R /DW 1000 >>',
    '<< /Type /FontDescriptor /FontName /STSong-Light /Flags 4 /FontBBox [-25 -254 1000 880] /ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>',
    ...(hasNext ? [pageOf(10), contentOf(next)] : []),
  ];
  let file = '%PDF-1.4\n';
  const starts = objects.map((object, i) => {
    const start = file.length;
    file += `${i + 1} 0 obj\n${object}\nendobj\n`;
    return start;
  });
  const table = starts.map((start) => `${String(start).padStart(10, '0')} 00000 n \n`).join('');
  const id = '<00112233445566778899aabbccddeeff>';
  const trailer = `<< /Size ${objects.length + 1} /Root 1 0 R ${encrypted ? `/Encrypt 6 0 R /ID [${id}${id}]` : ''} >>`;
  return Buffer.from(
    `${file}xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}trailer\n${trailer}\nstartxref\n${file.length}\n%%EOF\n`,
    'latin1',
  );
}
