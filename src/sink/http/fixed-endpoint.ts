/** The URL with a format's own path where it has none; its query stays. */
export function fixedEndpoint(url: URL, path: string): URL {
  const endpoint = new URL(url);
  if (endpoint.pathname === '/') endpoint.pathname = path;
  return endpoint;
}
