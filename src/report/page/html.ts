/** A piece of a page. Only {@link html} makes one, so that whatever is put into a page is text until said otherwise. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What {@link html} takes between its strings: text, pieces of pages, lists of them, and nothing at all. */
export type HtmlPart = string | number | Html | undefined | false | readonly HtmlPart[];

/** A piece of a page; what is put into it is escaped unless it is a piece of a page itself. Quote attributes. */
export function html(strings: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  return new Html(strings.map((text, index) => text + textOf(parts[index])).join(""));
}

function textOf(part: HtmlPart): string {
  if (part === undefined || part === false) return "";
  if (part instanceof Html) return part.text;
  if (typeof part === "object") return part.map(textOf).join("");
  return String(part).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
