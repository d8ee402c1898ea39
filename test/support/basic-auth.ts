/** @returns the header of HTTP basic authentication */
export const basicAuth = (user: string, password: string) => ({
  Authorization: `Basic ${btoa(`${user}:${password}`)}`,
});
