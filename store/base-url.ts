import { UsageError } from '../plan/errors';

/** @throws UsageError where it is no http or https URL */
export function checkUrl({ value, source }: { value: string; source: string }): void {
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url && (url.protocol === 'https:' || url.protocol === 'http:')) return;
  // The value itself stays out of the message: a base URL may hold a password.
  throw new UsageError(`The base URL from ${source} is not an http or https URL.`, 'Example: https://host/v1');
}

/** Without user, password and query, for people. */
export function shownUrl(value: string): string {
  const url = new URL(value);
  url.username = '';
  url.password = '';
  url.search = '';
  return url.toString().replace(/\/$/, '');
}
