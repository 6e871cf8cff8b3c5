/** An element of an XML document. */
export interface XmlNode {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlNode[];
  readonly text: string;
  all(name: string): XmlNode[];
}

const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

function decode(text: string): string {
  if (/&(?!(?:lt|gt|amp|quot|apos|#\d+|#x[\da-f]+);)/i.test(text)) throw new Error(`stray ampersand in ${text}`);
  return text.replace(/&(?:#x([\da-f]+)|#(\d+)|(\w+));/gi, (_all, hex, decimal, name) =>
    name === undefined
      ? String.fromCodePoint(Number.parseInt(hex ?? decimal, hex === undefined ? 10 : 16))
      : (entities[name] ?? ""),
  );
}

/** A strict reader of the XML that reports use: throws for anything that is not well formed. */
export function parseXml(xml: string): XmlNode {
  // What XML 1.0 forbids, C1 controls besides.
  if (/(?![\t\r\n])\p{Cc}|\p{Cs}|[\ufffe\uffff]/u.test(xml)) throw new Error("forbidden character");
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(xml);
    if (match !== null) at += match[0].length;
    return match;
  };
  const must = (pattern: RegExp): RegExpExecArray => {
    const match = take(pattern);
    if (match === null) throw new Error(`expected ${pattern} at ${xml.slice(at, at + 80)}`);
    return match;
  };
  const element = (): XmlNode => {
    const name = must(/<([\w-]+)/y)[1] ?? "";
    const attributes: Record<string, string> = {};
    for (let match = take(/\s+([\w-]+)="([^"<]*)"/y); match !== null; match = take(/\s+([\w-]+)="([^"<]*)"/y))
      attributes[match[1] ?? ""] = decode(match[2] ?? "");
    const children: XmlNode[] = [];
    let text = "";
    if (must(/\s*(\/?)>/y)[1] === "") {
      for (;;) {
        const cdata = take(/<!\[CDATA\[([\s\S]*?)\]\]>/y);
        if (cdata !== null) text += cdata[1] ?? "";
        else if (xml.startsWith("</", at)) break;
        else if (xml.startsWith("<", at)) children.push(element());
        else {
          const plain = must(/[^<]+/y)[0];
          if (plain.includes("]]>")) throw new Error("]]> in text");
          text += decode(plain);
        }
      }
      must(new RegExp(`</${name}>`, "y"));
    }
    const all = (wanted: string): XmlNode[] =>
      children.flatMap((child) => [...(child.name === wanted ? [child] : []), ...child.all(wanted)]);
    return { name, attributes, children, text, all };
  };
  must(/<\?xml [^?]*\?>\s*/y);
  const root = element();
  must(/\s*/y);
  if (at !== xml.length) throw new Error("something after the document");
  return root;
}
