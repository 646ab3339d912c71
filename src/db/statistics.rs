//! Figures about everything that a principal may see.
