/** Starts the console. */
import '@mantine/core/styles.layer.css'
import '@mantine/notifications/styles.layer.css'
import './app/styles.css'
import './ui/parts.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app/App.tsx'

const root = document.getElementById('root')
if (root === null) throw new Error('index.html has no #root')
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
