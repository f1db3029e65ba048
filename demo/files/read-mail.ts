/** The text of e-mails as programs save them (.eml). */
import PostalMime, { type Address } from 'postal-mime';

/**
 * Who wrote what to whom, and the text, without attachments. Of a text that comes both plain and as HTML the plain one is taken; `fromHtml` makes text
 * of HTML that comes alone.
 */
export async function mailText(bytes: Uint8Array, fromHtml: (html: string) => Promise<string>): Promise<string> {
  const mail = await PostalMime.parse(bytes);
  const heads = {
    Subject: mail.subject,
    From: mail.from && written(mail.from),
    To: mail.to?.map(written).join(', '),
    Date: mail.headers.find(({ key }) => key === 'date')?.value,
  };
  const lines = Object.entries(heads).flatMap(([name, value]) => (value ? [`${name}: ${value}`] : []));
  const body = mail.text?.trim() || (await fromHtml(mail.html ?? '')).trim();
  return [lines.join('\n'), body].filter((part) => part !== '').join('\n\n');
}

const written = ({ name, address }: Address): string => (name && address ? `${name} <${address}>` : address || name);
