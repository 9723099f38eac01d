/// x
#[derive(Clone, Debug)]
pub struct JmesPath(());
/// x
#[derive(Clone, Debug)]
pub struct JmesPathError(());
