"""Every write a person makes: role checked, actor named, acknowledged only when it is stored."""
