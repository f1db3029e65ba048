import { expect, it } from 'vitest';
import { mailText } from './read-mail';

const fromHtml = async (html: string) => (html ? `HTML(${html.replace(/<[^>]*>/g, '').trim()})` : '');
const read = (text: string, encoding: BufferEncoding = 'utf8') =>
  mailText(Uint8Array.from(Buffer.from(text.replaceAll('\n', '\r\n'), encoding)), fromHtml);

it('reads a plain mail with what is in its head', async () => {
  expect(
    await read('From: Ann <ann@a.example>\nSubject: Rent\n for May\nX-Spam: no\n\nDear Bob,\n\nit is due.\n'),
  ).toBe('Subject: Rent for May\nFrom: Ann <ann@a.example>\n\nDear Bob,\n\nit is due.');
  expect(await read('Subject: Only this\n')).toBe('Subject: Only this');
  expect(await read('\nOnly a body')).toBe('Only a body');
});

it('decodes words in the head and the body by their encodings', async () => {
  const heads = 'Subject: =?utf-8?B?UmVjaG51bmcgZsO8cg==?= =?iso-8859-1?Q?_M=E4rz?=\n';
  const quoted = 'Content-Type: text/plain; charset="iso-8859-1"\nContent-Transfer-Encoding: quoted-printable\n';
  expect(await read(`${heads}${quoted}\nGr=FC=DFe und so=\nweiter =3D`)).toBe(
    'Subject: Rechnung für März\n\nGrüße und soweiter =',
  );
  const base64 = 'Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n';
  expect(await read(`${base64}\nR3LD\nvMOfZQ==\n`)).toBe('Grüße');
  expect(await read('Content-Type: text/plain; charset=no-such\n\ncaf\u00e9', 'latin1')).toBe('café');
  expect(await read('Subject: März\n\nGrüße')).toBe('Subject: März\n\nGrüße'); // raw UTF-8
});

it('takes the plain one of two ways to say the same, and the text beside attachments', async () => {
  const two = (first: string, second: string) => `Content-Type: multipart/alternative; boundary=in

--in
Content-Type: text/html

<p>${first}</p>
--in
Content-Type: text/plain

${second}
--in--
`;
  expect(await read(two('rich', 'plain'))).toBe('plain');
  expect(await read(two('rich', ''))).toBe('HTML(rich)');
  const mixed = `Subject: Both
Content-Type: multipart/mixed; boundary="a b"

A preamble that nobody sees.
--a b
${two('rich', 'plain')}
--a b
Content-Type: application/pdf; name=bill.pdf

%PDF
--a b
Content-Type: text/plain
Content-Disposition: attachment; filename=notes.txt

attached
--a b
Content-Type: message/rfc822

Subject: Inner

forwarded
--a b--
`;
  const text = await read(mixed);
  expect(text).toMatch(/^Subject: Both\n\nplain\n+-+\nSubject: Inner\n-+\n+forwarded$/);
  expect(await read('Content-Type: multipart/mixed; boundary=x\n\n--x\n\ncut off')).toBe('cut off');
});
