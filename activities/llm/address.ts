import { finalFailure, masked } from './errors';

/** A base URL taken apart: what may be shown, and what goes with every request. */
export interface Address {
  /** Without credentials and query, up to and with `/v1` or what the server has in its place. */
  baseURL: string;
  /** For example `api-version`, where a server wants one with every request. */
  query: { [name: string]: string };
  /** From user and password in the URL; null where it has none. */
  authorization: string | null;
}

/** @throws ApplicationFailure `BadInput` where it is no http or https URL */
export function addressOf(baseURL: string): Address {
  const url = URL.canParse(baseURL) ? new URL(baseURL) : null;
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw finalFailure(
      'BadInput',
      `The base URL "${masked(baseURL, '')}" is no http or https URL. Set one like https://host/v1.`,
    );
  }
  const { username, password } = url;
  const query = Object.fromEntries(url.searchParams);
  url.username = '';
  url.password = '';
  url.search = '';
  url.hash = '';
  const shown = url.toString().replace(/\/$/, '');
  if (username === '' && password === '') return { baseURL: shown, query, authorization: null };
  const pair = `${decoded(username)}:${decoded(password)}`;
  return { baseURL: shown, query, authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
