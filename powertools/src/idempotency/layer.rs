/// x
#[derive(Clone, Debug)]
pub struct IdempotencyLayer(());
/// x
#[derive(Clone, Debug)]
pub struct IdempotencyService(());
