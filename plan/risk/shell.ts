const DOWNLOAD = /\b(?:curl|wget|fetch|aria2c|iwr|irm|invoke-webrequest|invoke-restmethod)\b/i;
/** These run their standard input only when no program is given (`| python3 -m json.tool` is harmless). */
const SCRIPTED = String.raw`(?:python\d?(?:\.\d{1,2})?|node|perl|ruby|php)(?![\w.-])(?!\s{1,10}-\w{0,10}[cmepnr])`;
const INTERPRETER = String.raw`(?:[\w./-]{0,100}\/)?(?:(?:(?:ba|da|z|k|a|fi)?sh|iex|pwsh)(?![\w.-])|${SCRIPTED})`;
const PREFIX = String.raw`(?:(?:sudo|env|exec|command|nohup)\s{1,10}(?:-\S{1,40}\s{1,10}|\w{1,40}=\S{0,80}\s{1,10}){0,5}){0,3}`;
const PIPE = new RegExp(String.raw`\|&?\s{0,10}${PREFIX}${INTERPRETER}`, 'i');
const SUBSTITUTION =
  /(?:\b(?:ba|da|z|k)?sh\b.{0,20}(?:\$\(|<\(|`)|\beval\b.{0,5}(?:\$\(|`)|(?:\bsource\b|(?:^|\s)\.)\s{1,10}<\().{0,10}(?:curl|wget)\b/i;

/** Whether a line executes what it downloads: `curl … | sh`, `bash <(curl …)`, `eval "$(wget …)"` and kin. */
export function pipesIntoShell(line: string): boolean {
  const at = line.search(DOWNLOAD);
  if (at < 0) return false;
  return PIPE.test(line.slice(at)) || SUBSTITUTION.test(line);
}
