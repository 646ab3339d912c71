// The page: GraphiQL over the server that it came from.
import './workers.js';
import './styles.css';

import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';

import { starterTabs } from './starter-tabs.js';
import { storage } from './storage.js';

const fetcher = createGraphiQLFetcher({
  // Relative, so that the page works behind a proxy that serves it under a path as well.
  url: new URL('graphql', document.baseURI).href,
  enableIncrementalDelivery: false,
});

const explorer = createElement(
  GraphiQL,
  {
    fetcher,
    storage,
    // For the first visit. Later the tabs come from the storage, as they were left.
    defaultTabs: starterTabs,
    isHeadersEditorEnabled: true,
    // Answers tell what they cost, as long as this header is there.
    defaultHeaders: JSON.stringify({ 'x-evalgraph-explain': '1' }, null, 2),
    defaultEditorToolsVisibility: 'headers',
    // Headers hold tokens, which must not stay in the storage; nor can that be switched on.
    shouldPersistHeaders: false,
    showPersistHeadersSettings: false,
  },
  createElement(GraphiQL.Logo, null, 'evalgraph'),
);
createRoot(document.getElementById('explorer')).render(explorer);
