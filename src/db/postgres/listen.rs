//! Being told of changes that others make.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls};

use super::PostgresTarget;

/// The channel on which the triggers of the outbox tell.
const CHANNEL: &str = "LISTEN evalgraph_cache";
/// How long to wait before listening again when the connection ended. Whoever waits looks for himself meanwhile.
const PAUSE: Duration = Duration::from_secs(1);

impl PostgresTarget {
    /// Wakes `changed` whenever something was changed in another way than over the pools of a server. Never ends: it has
    /// a connection of its own, and makes another when that ends.
    pub async fn listen(self, changed: Arc<Notify>) {
        loop {
            if let Err(error) = self.listen_once(&changed).await {
                tracing::debug!(%error, "changes by others are found later: nobody tells of them");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn listen_once(&self, changed: &Notify) -> Result<(), tokio_postgres::Error> {
        let config = self.url.config();
        match &self.tls {
            Some(tls) => {
                let (client, connection) = config.connect(tls.clone()).await?;
                wake(client, connection, changed).await
            }
            None => {
                let (client, connection) = config.connect(NoTls).await?;
                wake(client, connection, changed).await
            }
        }
    }
}

/// Drives the connection, and wakes at each notification.
async fn wake<S, T>(
    client: Client,
    mut connection: Connection<S, T>,
    changed: &Notify,
) -> Result<(), tokio_postgres::Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    let messages = async {
        while let Some(message) = std::future::poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(_) = message? {
                changed.notify_one();
            }
        }
        Ok(())
    };
    let listening = async {
        client.batch_execute(CHANNEL).await?;
        // What came before the first notification can.
        changed.notify_one();
        std::future::pending::<()>().await;
        Ok(())
    };
    tokio::select! {
        ended = messages => ended,
        failed = listening => failed,
    }
}
