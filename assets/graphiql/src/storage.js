// The browser's storage as GraphiQL may use it. It does not keep headers with the tabs when told so, but its history has
// them nevertheless, and with them tokens.
const PREFIX = 'graphiql:';
const HISTORY = ['graphiql:queries', 'graphiql:favorites'];

const withoutHeaders = (json) => JSON.stringify(JSON.parse(json, (key, value) => (key === 'headers' ? undefined : value)));

export const storage = {
  get length() {
    return localStorage.length;
  },
  getItem: (name) => localStorage.getItem(name),
  setItem: (name, value) => localStorage.setItem(name, HISTORY.includes(name) ? withoutHeaders(value) : value),
  removeItem: (name) => localStorage.removeItem(name),
  clear() {
    const own = Object.keys(localStorage).filter((name) => name.startsWith(PREFIX));
    own.forEach((name) => localStorage.removeItem(name));
  },
};
