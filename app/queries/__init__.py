"""Every cached read of the screens; the results are the frozen values of `views`."""
